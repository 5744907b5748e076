import EventLog
import EventModel
import Foundation
import Logging
import OrdersDomain
import PrometheusExporter
import ServiceLifecycle
import Snapshots
import SwiftProtobuf
import TestSupport
import Testing

@testable import HitsDomain
@testable import MillraceBus
@testable import MillraceGateway

/// Hits with paths of their own: a page is seen, and asked how often it was.
extension Domain {
    private static let least = OptionalParameter<Int64>("least", "hits of a second at least")

    fileprivate static let seen = Domain.hits.routing([
        Route(
            .get, "/seen/{site}/{page}", "Sees a page.", isOpen: true,
            replying: [Route.Reply(302, "To the page.", nil), Route.Reply(410, "It is gone.")]
        ) { request, bus in
            let (site, page) = (request.variables["site"] ?? "", request.variables["page"] ?? "")
            if page == "gone" { throw RouteProblem(.gone, "the page is gone", reason: "page-gone") }
            if page == "busy" { throw RouteProblem(.tooManyRequests, "too often", retryAfter: .milliseconds(39_500)) }
            if page == "bad" { return RouteReply(200, fields: [NamedText("X-Bad", "a\r\nb: c")]) }
            let isTaken =
                try request.isHead
                || bus.produce(
                    HitsHit.with {
                        ($0.site, $0.path, $0.visitor) = (site, "/\(page)", request[.referer] ?? request.address)
                    })
            return .redirect(to: "https://\(site)/\(page)?taken=\(isTaken)&all=\(request.parameters.map(\.value))")
        },
        Route(.get, "/seen/{site}", "How often.", taking: [least]) { request, bus in
            let answer = try await bus.query(
                "hits.window", ["site": .text(request.variables["site"] ?? ""), "window": .integer(3_600_000)])
            let hits = answer.rows.first?[3].integer ?? 0
            return .json(#"{"hits":\#(hits),"least":\#(request[least] ?? 0),"who":"\#(request.subject ?? "nobody")"}"#)
        },
        Route(.post, "/seen", "Says what it was sent.", reading: [.json, .form]) { request, _ in
            switch request.body {
            case .none: .html("<p>nothing, \(request.cookie("a") ?? "no cookie")</p>")
            case .json(let text): .json(text)
            case .form: .json("\"\(request.body["name"] ?? "")\"")
            }
        },
    ])
}

/// A gateway over a log and views of its own, in this process.
private struct Place: Sendable {
    let port: Int
    let folder: String
    let registry: PrometheusRegistry

    static func with(
        _ domain: Domain = .seen, authority: any Authority = OpenAuthority(),
        _ body: @escaping @Sendable (Place) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let bus = try await Bus(log: "local:\(folder)/log", domains: [domain], logger: logger)
        var settings = GatewaySettings(address: try GatewayAddress("127.0.0.1:0"), authority: authority)
        settings.registry = PrometheusRegistry()
        let served = AsyncStream<Int>.makeStream()
        let gateway = try await Gateway(
            [domain], log: bus.log, views: bus.views, snapshots: SnapshotFolder(folder + "/snapshots"), declared: [],
            settings: settings, logger: logger, running: { served.continuation.yield($0.port) })
        let registry = settings.registry
        let group = ServiceGroup(
            configuration: .init(
                services: ([bus] + (try bus.workers()) + [gateway]).map { .init(service: $0) }, logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var ports = served.stream.makeAsyncIterator()
            let port = try #require(await ports.next())
            do {
                try await body(Place(port: port, folder: folder, registry: registry))
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func curl(_ arguments: String...) async throws -> String {
        let more = arguments.dropLast() + ["http://127.0.0.1:\(port)\(arguments.last ?? "/")"]
        let running = try Running(
            "/usr/bin/curl", ["--silent", "--include", "--max-time", "20", "--globoff"] + more, cwd: folder,
            scratch: folder)
        return try await running.end().out
    }
}

/// Takes one token.
private struct OneToken: Authority {
    var asksForTokens: Bool { true }
    func access(token: String?) throws(Problem) -> Access {
        guard let token else { throw .unnamed }
        return Access(subject: token, grants: [Access.Grant(token == "ann" ? .query : .send, in: "hits")])
    }
    func reload() {}
}

@Suite("Routes over the gateway", .serialized, .timeLimit(.minutes(10)))
struct RouteTests {
    @Test func `answer at once, and what they produce is counted`() async throws {
        try await Place.with { place in
            for page in 0..<20 {
                let reply = try await place.curl("--referer", "r\(page % 3)", "/seen/home/p\(page)?a=b%2Fc&a=%3D")
                #expect(reply.hasPrefix("HTTP/1.1 302"), "\(reply)")
                #expect(reply.contains(#"Location: https://home/p\#(page)?taken=true&all=["b/c", "="]"#), "\(reply)")
                #expect(reply.contains("Cache-Control: no-store") && reply.contains("nosniff"))
            }
            let reply = try await eventually("20 hits") {
                let reply = try await place.curl("/seen/home?least=7")
                return reply.contains(#"{"hits":20,"least":7,"who":"nobody"}"#) ? reply : nil
            }
            #expect(reply.contains("application/json"))
            let metrics = await place.registry.text()
            #expect(
                metrics.contains(#"millrace_http_route_events_total{event="Hit",outcome="written"} 20"#)
                    && metrics.contains(#"path="/seen/{site}/{page}",method="GET",status="302"} 20"#), "\(metrics)")
        }
    }

    @Test func `that are only asked what they would answer do nothing`() async throws {
        try await Place.with { place in
            let head = try await place.curl("--head", "/seen/home/p")
            #expect(head.hasPrefix("HTTP/1.1 302") && head.contains("Location: https://home/p"), "\(head)")
            let options = try await place.curl("--request", "OPTIONS", "/seen")
            #expect(options.contains("Allow: POST, OPTIONS"), "\(options)")
            #expect(try await place.curl("/seen/home").contains(#""hits":0"#))
        }
    }

    @Test func `say what is wrong as problems, whoever finds it`() async throws {
        try await Place.with { place in
            let gone = try await place.curl("/seen/home/gone")
            #expect(
                gone.hasPrefix("HTTP/1.1 410") && gone.contains("application/problem+json")
                    && gone.contains(#""reason":"page-gone""#), "\(gone)")
            let busy = try await place.curl("/seen/home/busy")
            #expect(busy.hasPrefix("HTTP/1.1 429") && busy.lowercased().contains("retry-after: 40\r\n"), "\(busy)")
            let typed = try await place.curl("/seen/home?least=many")
            #expect(typed.hasPrefix("HTTP/1.1 400") && typed.contains(#""field":"least""#), "\(typed)")
            #expect(try await place.curl("/seen/home?least=1&least=2").hasPrefix("HTTP/1.1 400"))
            #expect(try await place.curl("/seen/home?other=1&other=2").hasPrefix("HTTP/1.1 200"))
            let bad = try await place.curl("/seen/home/bad")
            #expect(bad.hasPrefix("HTTP/1.1 500") && !bad.contains("b: c"), "\(bad)")
            #expect(try await place.curl("/seen").hasPrefix("HTTP/1.1 405"))
            #expect(try await place.curl("/seen/a/b/c").hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test func `take the bodies that they declare, and forms from their own pages alone`() async throws {
        try await Place.with { place in
            let json = ["--header", "Content-Type: application/json", "--data", #"{"a":1}"#]
            #expect(try await place.curl(json[0], json[1], json[2], json[3], "/seen").hasSuffix(#"{"a":1}"#))
            let page = try await place.curl("--request", "POST", "--cookie", "a=b; millrace-token=x", "/seen")
            #expect(page.hasSuffix("<p>nothing, b</p>") && page.contains("form-action 'self'"), "\(page)")
            #expect(try await place.curl("--data", "name=x", "/seen").hasPrefix("HTTP/1.1 403"))
            let own = "Origin: http://127.0.0.1:\(place.port)"
            #expect(try await place.curl("--header", own, "--data", "name=a+b%21", "/seen").hasSuffix("\"a b!\""))
            let other = try await place.curl("--header", "Content-Type: text/plain", "--data", "x", "/seen")
            #expect(other.hasPrefix("HTTP/1.1 415"), "\(other)")
            let large = try await place.curl(
                "--header", "Content-Length: 9000000", "--header", "Content-Type: application/json", "--data", "{}",
                "/seen")
            #expect(large.hasPrefix("HTTP/1.1 413"), "\(large)")
        }
    }

    @Test func `ask for the scope that they declare, but for open ones`() async throws {
        try await Place.with(authority: OneToken()) { place in
            #expect(try await place.curl("/seen/home/p").hasPrefix("HTTP/1.1 302"))
            #expect(try await place.curl("/seen/home").hasPrefix("HTTP/1.1 401"))
            let ann = try await place.curl("--oauth2-bearer", "ann", "/seen/home")
            #expect(ann.hasPrefix("HTTP/1.1 200") && ann.contains(#""who":"ann""#), "\(ann)")
            let ben = try await place.curl("--oauth2-bearer", "ben", "/seen/home")
            #expect(ben.hasPrefix("HTTP/1.1 403") && ben.contains("hits:query"), "\(ben)")
        }
    }

    @Test func `are in the document, each with its parameters, bodies and answers`() throws {
        let document = OpenAPI([.seen]).text
        #expect(document.contains(#""/seen/{site}":{"get":{"operationId":"get_/seen/{site}""#))
        #expect(document.contains(#"{"name":"site","in":"path","required":true"#))
        #expect(document.contains(#"{"name":"least","in":"query","required":false"#))
        #expect(document.contains(#""302":{"description":"To the page."}"#))
        #expect(document.contains(#""application/x-www-form-urlencoded":{"schema":{"type":"object"}}"#))
    }

    @Test func `lose what they produce where there is no room, and say so`() async throws {
        let registry = PrometheusRegistry()
        let log = MemoryLog()
        try log.create([Topic("hits.events", partitions: 1, key: "k", schema: "s", owner: "o")])
        let queue = RouteQueue(log, limit: 3, metrics: registry, logger: Logger(label: "test"))
        let item = RouteQueue.Item(topic: "hits.events", event: "Hit", key: "k", value: "v", time: now())
        #expect((0..<5).map { _ in queue.put(item) } == [true, true, true, false, false])
        #expect(queue.count == 3)
        let group = ServiceGroup(configuration: .init(services: [.init(service: queue)], logger: Logger(label: "test")))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("what waits to be written") { queue.count == 0 ? true : nil }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        let bounds = try log.bounds(of: [TopicPartition("hits.events", 0)])
        #expect(queue.count == 0 && bounds.values.first?.upperBound == 3)
        #expect(await registry.text().contains(#"{event="Hit",outcome="dropped"} 2"#))
    }
}
