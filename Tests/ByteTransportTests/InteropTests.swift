import ByteTransport
import LoopRuntime
import Testing

@Suite(
    "WebSocket against PyPI's websockets",
    .enabled("it is not available; the reason is printed") { PythonPeer.obstacle == nil },
    .timeLimit(.minutes(3)))
struct InteropTests {
    @Test("Its client finds nothing to complain about, over TCP and over TLS", arguments: ["ws", "wss"])
    func theirClient(scheme: String) async throws {
        let lastLine = try await PythonPeer.withFile(Certificates.root) { root in
            try await withTransports { context, actor async throws in
                let tls = scheme == "wss" ? try TLSServerContext([Certificates.chained]) : nil
                let server = try EchoServer(context: context, tls: tls)
                let url = "\(scheme)://localhost:\(server.listener.address.port)/"
                let lastLine = await PythonPeer.runClient(url, certificateAuthority: tls == nil ? nil : root)
                server.listener.close()
                return lastLine
            }
        }
        #expect(lastLine == "ok")
    }

    @Test("Its server and our client understand each other, over TCP and over TLS", arguments: ["ws", "wss"])
    func theirServer(scheme: String) async throws {
        try await PythonPeer.withFile(Certificates.localCertificate) { certificate in
            try await PythonPeer.withFile(Certificates.localKey) { key in
                let server = try await PythonPeer.Server.start(scheme == "wss" ? [certificate, key] : [])
                defer { server.stop() }
                try await runOurClient("\(scheme)://localhost:\(server.port)")
            }
        }
    }

    private func runOurClient(_ base: String) async throws {
        try await withTransports { context, actor async throws in
            var options = TransportDialOptions()
            options.tls = try TLSClientContext(trust: .certificates(Certificates.root))
            options.subprotocols = ["other", "relay"]

            let echo = try await TransportURL(base).connect(context: context, options: options)
            #expect((echo.transport as? WebSocketTransport)?.subprotocol == "relay")
            for count in [0, 1, 125, 126, 127, 65535, 65536, 70000, 1 << 20] {
                try await echo.write(pattern(count))
                expectSame(try await echo.read() ?? [], pattern(count))
            }
            await echo.close(.goingAway("done"))

            let fragments = try await TransportURL(base + "/fragments").connect(context: context, options: options)
            expectSame(try await fragments.read() ?? [], Array("one two ".utf8) + pattern(70000))
            await fragments.close()

            let ping = try await TransportURL(base + "/ping").connect(context: context, options: options)
            #expect(try await ping.read() == Array("all answered".utf8))
            await ping.close()

            let closing = try await TransportURL(base + "/close").connect(context: context, options: options)
            #expect(await closing.waitUntilClosed() == .closedByPeer(CloseNotice(code: 4321, reason: "because ä")))

            let text = try await TransportURL(base + "/text").connect(context: context, options: options)
            await #expect(throws: TransportError.self) { _ = try await text.read() }
            await text.waitUntilClosed()
        }
    }
}
