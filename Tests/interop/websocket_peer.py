"""The other side of a WebSocket, by an independent implementation (PyPI `websockets`), for ByteTransportTests.

  websocket_peer.py server [CERTIFICATE KEY]   listens on a free port, prints it, and serves one scenario per connection, by its path
  websocket_peer.py client URL [CA]            runs every scenario against a server that echoes binary messages; prints `ok`

A scenario that fails prints what happened and ends with status 1.
"""

import asyncio
import ssl
import sys

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.protocol import State

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 70000, 1 << 20]


def pattern(count):
    return bytes((31 * i + (i >> 8)) & 0xFF for i in range(count))


async def handle(connection):
    path = connection.request.path
    if path == "/fragments":
        await connection.send([b"one ", b"", b"two ", pattern(70000)])
    elif path == "/ping":
        for payload in [b"", b"x", pattern(125)]:
            await asyncio.wait_for(await connection.ping(payload), 20)
        await connection.send(b"all answered")
    elif path == "/text":
        await connection.send("text")
    elif path == "/close":
        await connection.close(4321, "because ä")
        return
    try:
        async for message in connection:
            await connection.send(message)
    except websockets.ConnectionClosed:
        pass  # the test looks at its own end


async def run_server(files):
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    async with serve(handle, "127.0.0.1", 0, ssl=context, max_size=None, subprotocols=["relay"]) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)  # the test closes our input when it is done


async def echoes(connection):
    for size in SIZES:
        await connection.send(pattern(size))
        assert await connection.recv() == pattern(size), f"{size} bytes came back changed"


async def fragments(connection):
    await connection.send([b"a", b"", pattern(70000), b"z"])
    assert await connection.recv() == b"a" + pattern(70000) + b"z"


async def pings(connection):
    for payload in [b"", b"x", pattern(125)]:
        await asyncio.wait_for(await connection.ping(payload), 20)


async def many(connection):
    """More than the buffers hold, so that both directions push back."""

    async def send():
        for i in range(400):
            await connection.send(pattern(10000 + i))

    sending = asyncio.create_task(send())
    for i in range(400):
        assert await connection.recv() == pattern(10000 + i), f"message {i} came back changed"
    await sending


async def closing(connection):
    await connection.close(4321, "because ä")
    assert connection.close_code == 4321, f"closed with {connection.close_code}"


async def text(connection):
    await connection.send("text")
    try:
        await connection.recv()
        raise AssertionError("text was answered")
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd.code == 1003, f"closed with {closed.rcvd}"


async def too_large(connection):
    try:
        await connection.send(bytes((16 << 20) + 1))
        await connection.recv()
        raise AssertionError("a message above the limit was answered")
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd.code == 1009, f"closed with {closed.rcvd}"


async def run_client(url, ca):
    context = None
    if ca:
        context = ssl.create_default_context(cafile=ca)
    for scenario in [echoes, fragments, pings, many, closing, text, too_large]:
        for compression in ["deflate", None]:  # offered, and to be declined
            connection = await connect(url, ssl=context, max_size=None, compression=compression)
            try:
                await asyncio.wait_for(scenario(connection), 60)
            except Exception as error:
                print(f"{scenario.__name__}: {error!r}", flush=True)
                sys.exit(1)
            # Closing one that the server has closed while we were sending is an error of the library's own.
            if connection.state is not State.CLOSED:
                await connection.close()
    print("ok", flush=True)


def main():
    role, arguments = sys.argv[1], sys.argv[2:]
    if role == "server":
        asyncio.run(run_server(arguments))
    else:
        asyncio.run(run_client(arguments[0], arguments[1] if len(arguments) > 1 else None))


main()
