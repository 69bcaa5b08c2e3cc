# Lets sed do the work, which keeps its output in a buffer when nobody sits at a terminal.
exec socat "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork,max-children=1" 'EXEC:sed s/^/ECHO\\\\x20/'
