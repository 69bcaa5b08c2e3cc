# Reads in a coroutine, and waits for the rest of the line where nobody else can run.
import asyncio
import socket
import sys


async def serve(conn):
    conn.setblocking(True)
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
            await asyncio.sleep(0)


async def main():
    loop = asyncio.get_running_loop()
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    server.setblocking(False)
    tasks = set()
    while True:
        conn, _ = await loop.sock_accept(server)
        tasks.add(asyncio.create_task(serve(conn)))


asyncio.run(main())
