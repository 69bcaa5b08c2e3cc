# Sends back what came, and forgets the word before it.
exec socat "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork" EXEC:cat
