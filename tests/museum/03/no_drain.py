# Writes without waiting for drain(): what the client does not read piles up in memory.
# grade: --strict --only bounded_buffer
import asyncio
import sys


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(b"ECHO " + line)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


asyncio.run(main())
