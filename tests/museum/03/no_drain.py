# Writes without waiting for drain(): what the client does not read piles up in memory.
# grade: --strict --only bounded_buffer
import asyncio
import sys


async def serve(reader, writer):
    rest = b""
    while data := await reader.read(65536):
        *lines, rest = (rest + data).split(b"\n")
        # All answers in one write. From Python 3.12 on a write costs the more, the more writes wait already: with one
        # for each line the server would soon be so slow that it seems to wait for its client.
        writer.write(b"".join(b"ECHO " + line + b"\n" for line in lines))
    writer.write(rest and b"ECHO " + rest)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


asyncio.run(main())
