# Gives the line to printf as its format.
if [ "$1" = serve ]; then
    while IFS= read -r line; do printf "ECHO $line\n"; done
    if [ -n "$line" ]; then printf "ECHO $line"; fi
    exit
fi
exec socat "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork,max-children=1" "EXEC:bash $0 serve"
