import Foundation
import TestSupport
import Testing

/// A gateway that a test has started, and how it is asked.
struct Web: Sendable {
    struct Reply: Sendable, CustomStringConvertible {
        var status: Int
        /// By name in lower case.
        var fields: [String: String]
        var body: String

        var json: JSON { (try? JSON(body)) ?? .null }
        var lines: [JSON] { body.split(separator: "\n").map { (try? JSON(String($0))) ?? .null } }
        var description: String { "\(status) \(fields)\n\(body.prefix(2000))" }

        /// Of what curl shows with `--include`.
        init(_ text: String) {
            var rest = text[...]
            (status, fields) = (0, [:])
            // Before the answer may stand that the client is to go on.
            while rest.hasPrefix("HTTP/"), let end = rest.firstRange(of: "\r\n\r\n") {
                let head = rest[..<end.lowerBound].split(separator: "\r\n")
                status = head.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
                fields = [:]
                for line in head.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    fields[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                        .trimmingCharacters(in: .whitespaces)
                }
                rest = rest[end.upperBound...]
                if status >= 200 { break }
            }
            body = String(rest)
        }
    }
    let bus: Bus
    let process: Running
    let port: Int
    var base: String { "http://127.0.0.1:\(port)" }

    /// What curl is given for a request.
    static func arguments(
        _ method: String, _ url: String, _ body: [UInt8]?, _ fields: [String], in folder: String
    ) throws -> [String] {
        var arguments = ["--silent", "--show-error", "--include", "--no-buffer", "--max-time", "60", "--globoff"]
        arguments += method == "HEAD" ? ["--head"] : ["--request", method]
        for field in fields { arguments += ["--header", field] }
        if let body {
            let file = "\(folder)/\(UUID().uuidString).body"
            try Data(body).write(to: URL(fileURLWithPath: file))
            arguments += ["--data-binary", "@\(file)"]
            let isSaid = fields.contains { $0.lowercased().hasPrefix("content-type") }
            if !isSaid { arguments += ["--header", "Content-Type: application/json"] }
        }
        return arguments + [url]
    }

    func ask(
        _ method: String, _ path: String, _ body: String? = nil, _ fields: String...,
        at place: SourceLocation = #_sourceLocation
    ) async throws -> Reply {
        let ended = try await start(method, path, body.map { Array($0.utf8) }, fields).end()
        return Reply(ended.out)
    }

    func get(_ path: String, _ fields: String...) async throws -> Reply {
        Reply(try await start("GET", path, nil, fields).end().out)
    }

    /// Begins a request whose answer is looked at while it comes.
    func start(_ method: String, _ path: String, _ body: [UInt8]? = nil, _ fields: [String] = []) throws -> Running {
        try bus.start(
            program: "/usr/bin/curl", Self.arguments(method, base + path, body, fields, in: bus.folder))
    }

    /// Sends a command, with an id.
    func send(_ command: String, _ json: String, id: String? = nil, wait: String = "40s") async throws -> Reply {
        let fields = id.map { ["Idempotency-Key: \($0)"] } ?? []
        let path = "/commands/\(command)?wait=\(wait)"
        return Reply(try await start("POST", path, Array(json.utf8), fields).end().out)
    }

    func stop() async throws -> Ended { try await process.stop() }
}

extension Bus {
    /// Starts `up` or `serve` on a free port, and waits until it serves.
    func web(_ command: String = "up", _ more: String...) async throws -> Web {
        let process = try start([command, "--http", "127.0.0.1:0"] + more)
        let port = try await eventually("\(process.name) to serve: \(process.err)") {
            process.err.firstMatch(of: #/serving http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
        return Web(bus: self, process: process, port: port)
    }
}

/// A connection that says what a client should not, or says nothing.
final class RawSocket: @unchecked Sendable {
    // One test's, which uses it from one task at a time.
    private let descriptor: Int32

    /// - Parameter window: Bytes that the machine takes before anybody reads; nil is as many as it likes.
    init(port: Int, window: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var window { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size)) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw Overdue(description: "cannot connect to \(port): \(String(cString: strerror(errno)))") }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var short = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &short, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// - Returns: whether all of it was taken.
    @discardableResult
    func write(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// Says that nothing more comes; what the other end says is still read.
    func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Whether the other end has closed, and everything that it sent was read.
    var isLeft: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || count < 0 && errno != EAGAIN
    }

    /// What comes until the other end closes, or so much of it.
    func read(atMost limit: Int = 1_000_000) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while all.count < limit {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            all += buffer.prefix(count)
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// One answer, whose head says how long its body is: for who keeps the connection though it should be closed.
    func readAnswer() -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var whole = Int.max
        while all.count < whole {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            all += buffer.prefix(count)
            if whole == .max, let end = all.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: all[..<end.lowerBound], as: UTF8.self).lowercased()
                whole = end.upperBound + (head.firstMatch(of: #/content-length: *(\d+)/#).flatMap { Int($0.1) } ?? 0)
            }
        }
        return String(decoding: all, as: UTF8.self)
    }
}
