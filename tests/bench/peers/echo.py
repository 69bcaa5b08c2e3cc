# A peer of 02 to 04: what one writes first with Python's asyncio, a coroutine for each client.
import argparse
import asyncio

PIECE = 65536


async def lines(reader, writer):
    while line := await reader.readline():
        writer.write(b"ECHO " + line)
        await writer.drain()


async def raw(reader, writer):
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=1234)
    parser.add_argument("--packet", choices=["line", "raw"], default="line")
    options = parser.parse_args()
    serve = lines if options.packet == "line" else raw

    async def client(reader, writer):
        try:
            await serve(reader, writer)
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", options.port, backlog=1024, limit=2 * PIECE)
    print(f"Listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


asyncio.run(main())
