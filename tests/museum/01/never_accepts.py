# Listens, and never accepts anybody.
import socket
import sys
import threading

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Event().wait()
