import Foundation
import TestSupport
import Testing

/// OwnCertificate of a test's own, made by openssl.
private struct OwnCertificate: Sendable {
    let bus: Bus
    var certificate: String { "\(bus.folder)/cert.pem" }
    var key: String { "\(bus.folder)/key.pem" }

    /// Makes a certificate for localhost, whose name of a person tells it from others.
    func make(_ name: String, days: Int = 1, at file: String? = nil) async throws {
        let (certificate, key) = (
            file.map { "\(bus.folder)/\($0).pem" } ?? certificate, file.map { "\(bus.folder)/\($0).key" } ?? key
        )
        let made = try await bus.sh(
            """
            umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days \(days) \
            -subj '/CN=\(name)' -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout \(key).new -out \(certificate).new \
            && mv \(key).new \(key) && mv \(certificate).new \(certificate)
            """)
        #expect(made.exit == 0, "openssl is needed (apt-get install openssl): \(made)")
    }

    func start(_ more: String...) async throws -> Web {
        let process = try bus.start(
            ["serve", "--http", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key] + more)
        let port = try await eventually("\(process.name) to serve: \(process.err)") {
            process.err.firstMatch(of: #/serving https://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
        return Web(bus: bus, process: process, port: port)
    }

    /// Asks with curl, which says which HTTP it spoke.
    func ask(_ web: Web, _ path: String, _ more: String...) async throws -> (version: String, reply: Web.Reply) {
        let ended = try await bus.plain(
            ["-s", "-S", "-i", "--max-time", "30", "--insecure"] + more + ["https://127.0.0.1:\(web.port)\(path)"],
            program: "/usr/bin/curl")
        let version = ended.out.split(separator: " ").first.map(String.init) ?? "\(ended)"
        return (version, Web.Reply(ended.out))
    }

    /// Whose certificate is shown.
    func shown(_ web: Web) async throws -> String {
        let script =
            "openssl s_client -connect 127.0.0.1:\(web.port) </dev/null 2>/dev/null | openssl x509 -noout -subject"
        return try await bus.sh(script).out.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

@Suite("Over TLS", .serialized, .timeLimit(.minutes(10)))
struct HTTPSecureTests {
    @Test func `HTTP is served in the version that both sides speak, and without TLS not at all`() async throws {
        try await onBus { bus in
            let own = OwnCertificate(bus: bus)
            try await own.make("first")
            let web = try await own.start()
            for (flag, version) in [("--http2", "HTTP/2"), ("--http1.1", "HTTP/1.1")] {
                let asked = try await own.ask(web, "/views", flag)
                #expect(asked.version == version && asked.reply.status == 200, "\(asked)")
                #expect(
                    !asked.reply.json["queries"].array.isEmpty && asked.reply.fields["connection"] == nil, "\(asked)")
                let refused = try await own.ask(web, "/nothing", flag)
                #expect(refused.version == version && refused.reply.status == 404, "\(refused)")
                // One whose body nobody reads, which over HTTP/1.1 closes the connection.
                let file = try bus.file("large", String(repeating: "a", count: 7_000_000))
                let large = try await own.ask(
                    web, "/commands/PlaceOrder", flag, "-H", "Content-Type: application/json", "--data-binary",
                    "@\(file)")
                #expect(large.reply.status == 413, "\(large)")
                let verified = try await bus.plain(
                    ["-s", "-S", flag, "--cacert", own.certificate, "https://localhost:\(web.port)/healthz"],
                    program: "/usr/bin/curl")
                #expect(verified.exit == 0 && verified.out.contains("ok"), "\(verified)")
            }
            let old = try await bus.sh("openssl s_client -tls1_1 -connect 127.0.0.1:\(web.port) </dev/null")
            #expect(old.exit != 0, "\(old)")
            let plain = try RawSocket(port: web.port)
            plain.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(!plain.read().contains("HTTP/1.1 200"))
            #expect(try await web.stop().exit == 0)
        }
    }

    @Test func `a new certificate is taken on SIGHUP, and connections that are there go on`() async throws {
        try await onBus { bus in
            let own = OwnCertificate(bus: bus)
            try await own.make("first")
            let web = try await own.start()
            #expect(try await own.shown(web) == "subject=CN = first")
            let following = try bus.start(
                program: "/usr/bin/curl",
                [
                    "-s", "-N", "--insecure", "https://127.0.0.1:\(web.port)/topics/hits.events?follow=true", "-H",
                    "Accept: text/event-stream",
                ])
            try await eventually("the stream") { following.out.contains("retry:") ? true : nil }
            func hangUp(until words: String) async throws {
                let said = web.process.err.components(separatedBy: words).count
                kill(web.process.pid, SIGHUP)
                try await eventually("\(words): \(web.process.err)") {
                    web.process.err.components(separatedBy: words).count > said ? true : nil
                }
            }
            try "nothing".write(toFile: own.certificate, atomically: false, encoding: .utf8)
            try await hangUp(until: "the certificate stays as it was")
            #expect(try await own.shown(web) == "subject=CN = first")
            try await own.make("second")
            try await hangUp(until: "the certificate was read again")
            #expect(try await own.shown(web) == "subject=CN = second")
            let produced = try await bus.run("produce", "Hit", stdin: #"{"site":"home","path":"/after"}"# + "\n")
            #expect(produced.exit == 0, "\(produced)")
            try await eventually("the event: \(following.out)") { following.out.contains("/after") ? true : nil }
            #expect(try await web.stop().exit == 0)
        }
    }

    @Test func `files that cannot be used are refused, and it is said why`() async throws {
        try await onBus { bus in
            let own = OwnCertificate(bus: bus)
            try await own.make("first")
            try await own.make("other", at: "other")
            let folder = bus.folder
            let nothing = try bus.file("nothing.pem", "nothing")
            func refused(_ certificate: String, _ key: String, _ exit: Int32, _ words: String) async throws {
                let ended = try await bus.run(
                    "serve", "--http", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key)
                #expect(ended.exit == exit && ended.err.contains(words), "\(ended)")
            }
            try await refused(own.certificate, "\(folder)/other.key", 78, "is not that of the first certificate")
            try await refused(nothing, own.key, 78, "has no certificate in PEM")
            try await refused("\(folder)/none.pem", own.key, 66, "\(folder)/none.pem")
            chmod(nothing, 0o600)
            try await refused(own.certificate, nothing, 78, "has no private key in PEM")
            chmod(own.key, 0o644)
            try await refused(own.certificate, own.key, 78, "chmod o= \(own.key)")
            chmod(own.key, 0o600)
            let half = try await bus.run("serve", "--tls-cert", own.certificate)
            #expect(half.exit == 64 && half.err.contains("go together"), "\(half)")
            // openssl of Debian 12 takes no days below zero for a new one; an old date is asked of its ca.
            let old = try await bus.sh(
                """
                cd \(folder) && openssl req -new -key key.pem -subj /CN=old -out old.csr 2>/dev/null && mkdir -p ca/new && : > ca/index \
                && echo 01 > ca/serial && printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=ca/index\\nserial=ca/serial\\nnew_certs_dir=ca/new\\npolicy=p\\ndefault_md=sha256\\n[p]\\ncommonName=supplied\\n' > ca/conf \
                && openssl ca -batch -config ca/conf -selfsign -keyfile key.pem -in old.csr -out old.pem -startdate 20200101000000Z \
                -enddate 20210101000000Z -notext 2>&1
                """)
            #expect(old.exit == 0, "\(old)")
            try await refused("\(folder)/old.pem", own.key, 78, "expired at 2021-01-01T00:00:00Z")
        }
    }

    @Test func `limits hold there too: headers, bodies, and connections without TLS`() async throws {
        try await onBus { bus in
            let own = OwnCertificate(bus: bus)
            try await own.make("first")
            let web = try await own.start("--http-rate", "1000")
            for flag in ["--http2", "--http1.1"] {
                let long = try await own.ask(
                    web, "/views", flag, "-H", "X-Long: \(String(repeating: "a", count: 60_000))")
                #expect(long.reply.status != 200, "\(long)")
                let path = try await own.ask(web, "/" + String(repeating: "a", count: 12_000), flag)
                #expect([404, 414].contains(path.reply.status), "\(path)")
                let host = try await own.ask(web, "/views", flag, "-H", "Host: evil.example")
                #expect(host.reply.status == 421, "\(host)")
                // Others are as before.
                #expect(try await own.ask(web, "/healthz", flag).reply.status == 200)
            }
            let (silent, began) = (try RawSocket(port: web.port), ContinuousClock.now)
            // It is closed after the time that TLS may take, and not at the end of this one's patience, which is 20 s.
            #expect(silent.read() == "" && ContinuousClock.now - began < .seconds(18))
        }
    }

    @Test func `a cookie is for TLS alone there, and many requests share a connection`() async throws {
        try await onBus { bus in
            let own = OwnCertificate(bus: bus)
            try await own.make("first")
            let keys = "\(bus.folder)/keys.json"
            #expect(try await bus.plain(["token", "keys", keys]).exit == 0)
            let web = try await own.start("--token-keys", keys)
            let made = try await bus.plain(["token", "--token-keys", keys, "--subject", "ann", "--scope", "*:query"])
            let token = made.out.trimmingCharacters(in: .whitespacesAndNewlines)
            func logIn(from scheme: String) async throws -> (version: String, reply: Web.Reply) {
                try await own.ask(
                    web, "/session", "--http2", "-H", "Content-Type: application/json", "-H",
                    "Origin: \(scheme)://127.0.0.1:\(web.port)", "--data-binary", #"{"token":"\#(token)"}"#)
            }
            // Anybody on the way can put words into a page without TLS.
            let bare = try await logIn(from: "http")
            #expect(bare.reply.status == 403 && bare.reply.fields["set-cookie"] == nil, "\(bare)")
            let set = try await logIn(from: "https")
            #expect(set.reply.status == 204 && set.reply.fields["set-cookie"]?.hasSuffix("; Secure") == true, "\(set)")
            let many = try await bus.plain(
                [
                    "-s", "-S", "--insecure", "--http2", "--parallel", "--parallel-max", "300", "-o", "/dev/null", "-w",
                    "%{http_code} %{num_connects}\\n", "-H", "Authorization: Bearer \(token)",
                    "https://127.0.0.1:\(web.port)/views?#[1-150]",
                ],
                program: "/usr/bin/curl")
            #expect(many.lines.count == 150 && many.lines.allSatisfy { $0.hasPrefix("200") }, "\(many)")
        }
    }
}
