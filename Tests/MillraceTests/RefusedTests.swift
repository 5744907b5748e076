import Foundation
import Kafka
import TestSupport
import Testing

/// Brokers that answer and take no connection: the program says at once which setting is wrong, and ends with 77.
@Suite("Brokers that let nobody in", .serialized, .timeLimit(.minutes(10)))
struct RefusedTests {
    /// Long for a machine that others keep busy, and much less than the 10 s that an answer is waited for.
    private static let soon = Duration.seconds(6)

    /// Runs a command on a broker, and expects it to end with 77 and these words, soon.
    private func expectRefused(
        _ bus: Bus, port: Int, _ properties: [String: String], _ words: [String],
        _ command: [String] = ["topics", "list"],
        at place: SourceLocation = #_sourceLocation
    ) async throws {
        let file = try bus.file(
            "kafka-\(UUID().uuidString).properties", properties.map { "\($0)=\($1)\n" }.sorted().joined())
        let began = ContinuousClock.now
        let ended = try await bus.plain(
            command + ["--log", "kafka://127.0.0.1:\(port)", "--kafka-config", file],
            environment: ["MILLRACE_VIEWS": "sqlite:\(bus.folder)/views"])
        let took = ContinuousClock.now - began
        #expect(ended.exit == 77, "\(ended)", sourceLocation: place)
        for word in words { #expect(ended.err.contains(word), "\(word): \(ended.err)", sourceLocation: place) }
        #expect(!ended.err.contains("is it running"), sourceLocation: place)
        #expect(took < Self.soon, "\(took)", sourceLocation: place)
    }

    private func login(_ mechanism: String) -> [String: String] {
        [
            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism, "sasl.username": "ann",
            "sasl.password": "s3cret",
        ]
    }

    @Test(arguments: [
        ["topics", "list"], ["work"], ["up"],
        ["send", "ReleaseHold", "--event", "e", "--section", "s", "--hold", "h", "--holder", "a"],
    ])
    func `a wrong password ends every command at once, and is said`(_ command: [String]) async throws {
        let broker = try SASLBroker(.wrong("Authentication failed: Invalid username or password"))
        defer { broker.close() }
        try await onBus { bus in
            try await expectRefused(
                bus, port: broker.port, login("PLAIN"),
                ["the user or the password is wrong (sasl.username, sasl.password)", "Invalid username or password"],
                command)
            #expect(broker.count > 0)
        }
    }

    @Test func `of SCRAM it says too that the library may be too old, where it is`() async throws {
        let broker = try SASLBroker(.wrong("invalid credentials with SASL mechanism SCRAM-SHA-512"))
        defer { broker.close() }
        let version = LibraryVersion.running.split { ".-".contains($0) }.prefix(3).compactMap { Int($0) }
        let isOld = version.lexicographicallyPrecedes([2, 6, 1])
        try await onBus { bus in
            try await expectRefused(
                bus, port: broker.port, login("SCRAM-SHA-512"),
                ["the user or the password is wrong"] + (isOld ? ["before 2.6.1 SCRAM fails with Kafka 4.0"] : []))
        }
    }

    @Test func `a mechanism that the broker does not take is named, with those that it does`() async throws {
        let broker = try SASLBroker(.mechanisms(["SCRAM-SHA-256", "OAUTHBEARER"]))
        defer { broker.close() }
        try await onBus { bus in
            try await expectRefused(
                bus, port: broker.port, login("PLAIN"),
                ["the broker does not take this SASL mechanism (sasl.mechanism)", "SCRAM-SHA-256,OAUTHBEARER"])
        }
    }

    /// One that dies while somebody logs in looks like a refusal for a moment.
    @Test func `a broker that hangs up in the middle of a login is refused only if it goes on`() async throws {
        let broker = try SASLBroker(.hangsUp)
        defer { broker.close() }
        try await onBus { bus in
            try await expectRefused(bus, port: broker.port, login("PLAIN"), ["the broker takes no connection"])
            #expect(broker.count > 1)
        }
    }

    @Test(.enabled(if: Certificates.openssl != nil, "there is no openssl"))
    func `a CA that has not signed the broker's certificate, one that has expired and another host's are told apart`()
        async throws
    {
        try await onBus { bus in
            let made = try await Certificates(bus.folder)
            func refused(_ server: String, _ ca: String, _ words: [String]) async throws {
                let peer = try made.serve(server)
                defer { peer.stop() }
                try await made.ready(peer)
                try await expectRefused(
                    bus, port: peer.port, ["security.protocol": "SSL", "ssl.ca.location": "\(bus.folder)/\(ca).pem"],
                    words)
            }
            try await refused("host", "other", ["no CA that this client trusts has signed it (ssl.ca.location)"])
            try await refused("expired", "ca", ["it has expired"])
            try await refused("elsewhere", "ca", ["it is another host's"])
            try await refused("self", "ca", ["it is signed by itself"])
        }
    }

    @Test(.enabled(if: Certificates.openssl != nil, "there is no openssl"))
    func `TLS to a listener without it and the other way round name security protocol`() async throws {
        try await onBus { bus in
            let made = try await Certificates(bus.folder)
            let peer = try made.serve("host")
            defer { peer.stop() }
            try await made.ready(peer)
            try await expectRefused(bus, port: peer.port, [:], ["do not speak the same protocol", "security.protocol"])
            let cluster = try MockCluster()
            let port = try #require(cluster.brokers.split(separator: ":").last.flatMap { Int($0) })
            try await expectRefused(
                bus, port: port, ["security.protocol": "SSL", "ssl.ca.location": "\(bus.folder)/ca.pem"],
                ["security.protocol"])
            withExtendedLifetime(cluster) {}
        }
    }

    @Test(.enabled(if: Certificates.openssl != nil, "there is no openssl"))
    func `a broker that wants a certificate of this client's says so`() async throws {
        try await onBus { bus in
            let made = try await Certificates(bus.folder)
            let peer = try made.serve(
                "host", ["-Verify", "1", "-verify_return_error", "-CAfile", "\(bus.folder)/ca.pem"])
            defer { peer.stop() }
            try await made.ready(peer)
            try await expectRefused(
                bus, port: peer.port, ["security.protocol": "SSL", "ssl.ca.location": "\(bus.folder)/ca.pem"],
                ["does not take this client's certificate, or wants one (ssl.certificate.location, ssl.key.location)"])
        }
    }

    /// What the documents give as examples, with files and names that are there.
    @Test(.enabled(if: Certificates.openssl != nil, "there is no openssl"))
    func `librdkafka takes each file of properties that the documents give`() async throws {
        try await onBus { bus in
            _ = try await Certificates(bus.folder)
            var methods: Set<String> = []
            let text = try String(contentsOfFile: "\(Bus.package)/docs/operations/kafka.md", encoding: .utf8)
            for block in text.components(separatedBy: "```properties\n").dropFirst() {
                let lines = block.components(separatedBy: "```")[0].split(separator: "\n")
                var properties = ["bootstrap.servers": "127.0.0.1:1"]
                for line in lines {
                    let equals = try #require(line.firstIndex(of: "="))
                    properties[String(line[..<equals])] = String(line[line.index(after: equals)...])
                        .replacing("/etc/millrace/", with: "\(bus.folder)/")
                        .replacing("/etc/ssl/certs/ca-certificates.crt", with: "\(bus.folder)/ca.pem")
                }
                do {
                    let admin = try Admin(properties)
                    await admin.close()
                } catch let error as KafkaError where error.message.contains("not supported in this build") {
                    // Debian's has no libcurl, without which there is no OpenID.
                    #expect(error.message.contains("sasl.oauthbearer."), "\(error)")
                }
                methods.insert(properties["sasl.mechanism"] ?? properties["security.protocol"] ?? "")
            }
            #expect(methods.isSuperset(of: ["SCRAM-SHA-512", "PLAIN", "SSL", "OAUTHBEARER"]), "\(methods)")
        }
    }

    @Test func `a property or a mechanism that there is not is named, with 78`() async throws {
        try await onBus { bus in
            for (property, word) in [
                ("sasl.mechanisem=PLAIN", "sasl.mechanisem"), ("security.protocol=TLS", "security.protocol"),
                ("ssl.ca.location=/no/such/file\nsecurity.protocol=SSL", "ssl.ca.location"),
            ] {
                let file = try bus.file("wrong.properties", property + "\n")
                let ended = try await bus.plain(
                    ["topics", "list", "--log", "kafka://127.0.0.1:1", "--kafka-config", file])
                #expect(ended.exit == 78 && ended.err.contains(word), "\(ended)")
            }
        }
    }

    @Test func `a broker that is not there is no refusal`() async throws {
        try await onBus { bus in
            let ended = try await bus.plain(["topics", "list", "--log", "kafka://127.0.0.1:1"])
            #expect(ended.exit == 69 && ended.err.contains("is it running"), "\(ended)")
        }
    }
}

/// A CA, one more, and certificates of this machine's, made by openssl in a folder.
struct Certificates {
    static let openssl = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map { $0 + "/openssl" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    let folder: String

    init(_ folder: String) async throws {
        self.folder = folder
        let script = """
            set -e
            cd "$1"
            ca() { "$0" req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 30 -subj "/CN=$1" 2>/dev/null; }
            leaf() {
              "$0" req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
              printf 'subjectAltName=%s\\n' "$3" > "$1.ext"
              "$0" x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -out "$1.pem" -extfile "$1.ext" $4 2>/dev/null
            }
            ca ca
            ca other
            leaf host localhost IP:127.0.0.1 "-days 30"
            leaf client ann DNS:ann "-days 30"
            leaf elsewhere elsewhere DNS:elsewhere.example "-days 30"
            "$0" req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 30 -subj /CN=localhost \\
              -addext subjectAltName=IP:127.0.0.1 2>/dev/null
            "$0" req -newkey rsa:2048 -nodes -keyout expired.key -out expired.csr -subj /CN=localhost 2>/dev/null
            printf 'subjectAltName=IP:127.0.0.1\\n' > expired.ext
            "$0" x509 -req -in expired.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out expired.pem -extfile expired.ext \\
              -days -1 2>/dev/null || {
              mkdir -p old; : > old/index; echo 01 > old/serial
              printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=old/index\\nserial=old/serial\\nnew_certs_dir=old\\npolicy=p\\ndefault_md=sha256\\n[p]\\ncommonName=supplied\\n' > old/conf
              "$0" ca -batch -config old/conf -in expired.csr -cert ca.pem -keyfile ca.key -out expired.pem -notext \\
                -extfile expired.ext -startdate 20200101000000Z -enddate 20200201000000Z 2>/dev/null
            }
            """
        let made = try await Running(
            "/bin/bash", ["-c", script, try #require(Self.openssl), folder], environment: [:], cwd: folder,
            scratch: folder
        ).end(within: .seconds(300))
        try #require(made.exit == 0, "\(made)")
    }

    /// Something that shakes hands with one of the certificates, and says nothing after it.
    struct Peer {
        let process: Running
        let port: Int
        func stop() { process.send(SIGKILL) }
    }

    func serve(_ name: String, _ more: [String] = []) throws -> Peer {
        let port = Int.random(in: 20_000..<30_000)
        return Peer(
            process: try Running(
                try #require(Self.openssl),
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", "\(folder)/\(name).pem", "-key",
                    "\(folder)/\(name).key", "-quiet",
                ] + more, environment: [:], cwd: folder, scratch: folder), port: port)
    }

    /// Waits until it takes connections.
    func ready(_ peer: Peer) async throws {
        try await eventually("a listener: \(peer.process.err)") {
            let tried = try await Running(
                "/bin/bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(peer.port)"], cwd: folder, scratch: folder
            ).end()
            return tried.exit == 0 ? true : nil
        }
    }
}
