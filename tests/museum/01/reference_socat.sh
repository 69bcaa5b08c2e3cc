# A reference: one client at a time, by socat and sed.
# grade: --required
exec socat "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork,max-children=1" 'EXEC:sed -u s/^/ECHO\\\\x20/'
