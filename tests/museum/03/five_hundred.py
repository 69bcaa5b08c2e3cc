# Has room for five hundred clients, and closes the others without a word.
import asyncio
import sys

room = 500


async def serve(reader, writer):
    global room
    room -= 1
    try:
        while room >= 0 and (line := await reader.readline()):
            writer.write(b"ECHO " + line)
            await writer.drain()
    except (OSError, ValueError):
        pass
    finally:
        room += 1
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), limit=100_000, backlog=1024)
    await server.serve_forever()


asyncio.run(main())
