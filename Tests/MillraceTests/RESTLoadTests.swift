import Foundation
import Synchronization
import TestSupport
import Testing

/// Many clients on every path at once, while the server is killed and started anew.
@Suite("The REST interface under load", .serialized, .timeLimit(.minutes(10)))
struct RESTLoadTests {
    /// One client asks one thing after another; that is the usual load.
    private static let clients = 20
    private static let turns = 4

    /// What was acknowledged, and how often each status came where it had to.
    private struct Ledger {
        var tweets: [String: Set<String>] = [:]
        var follows: [String: Set<String>] = [:]
        var likes: [String: Set<String>] = [:]
        var answers: [Int: Int] = [:]
        var acknowledged: Int { [tweets, follows, likes].reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } } }
    }

    /// A client: what it is asked is asked until the server answers, with the same id.
    private struct Client {
        let web: Web
        let number: Int
        let token: String
        let ledger: Ledgers
        var user: String { "u\(number)" }

        func ask(
            _ method: String, _ path: String, _ body: String? = nil, id: String? = nil, token: String? = nil,
            expecting statuses: Int...
        ) async throws -> Web.Reply {
            var fields = ["Authorization: Bearer \(token ?? self.token)"]
            if let id { fields.append("Idempotency-Key: \(id)") }
            let reply = try await eventually("an answer to \(method) \(path)", within: .seconds(300)) {
                let reply = Web.Reply(try await web.start(method, path, body.map { Array($0.utf8) }, fields).end().out)
                // Nobody listens, the connection broke, or the server begins.
                return reply.status == 0 || reply.status == 503 ? nil : reply
            }
            #expect(statuses.contains(reply.status), "\(method) \(path): \(reply)")
            ledger.change { $0.answers[reply.status, default: 0] += 1 }
            return reply
        }

        func run() async throws {
            for turn in 0..<RESTLoadTests.turns {
                let other = "u\((number + turn + 1) % RESTLoadTests.clients)"
                let tweet = "t\(turn)"
                let posted = try await ask(
                    "POST", "/api/users/\(user)/tweets", #"{"text":"\#(user) in turn \#(turn)","tweet":"\#(tweet)"}"#,
                    id: "post-\(user)-\(turn)", expecting: 200)
                if posted.status == 200 { ledger.change { $0.tweets[user, default: []].insert(tweet) } }
                let followed = try await ask(
                    "POST", "/api/users/\(other)/followers", id: "follow-\(user)-\(turn)", expecting: 200)
                if followed.status == 200 { ledger.change { $0.follows[user, default: []].insert(other) } }
                let liked = try await ask(
                    "POST", "/api/users/\(user)/tweets/\(tweet)/favorites?after=\(posted.json["after"].string)",
                    id: "like-\(user)-\(turn)", expecting: 200)
                if liked.status == 200 { ledger.change { $0.likes[user, default: []].insert(tweet) } }
                try await read(other, turn)
            }
        }

        private func read(_ other: String, _ turn: Int) async throws {
            switch turn % 4 {
            case 0:
                _ = try await ask("GET", "/api/users/\(other)/tweets?page=50", expecting: 200)
                _ = try await ask("GET", "/api/users/\(other)/tweets?page=51", expecting: 400)
                _ = try await ask("GET", "/api/users/there", expecting: 200)
            case 1:
                _ = try await ask("GET", "/api/users/\(other)/followers", expecting: 200)
                _ = try await ask("GET", "/api/users/nobody\(number)", expecting: 404)
                _ = try await ask("GET", "/api/users/\(other)/followers?page=50", token: "wrong", expecting: 401)
            case 2:
                _ = try await ask("GET", "/api/users/\(other)/followees", expecting: 200)
                _ = try await ask("GET", "/api/users/\(user)/tweets/never/favorites", expecting: 404)
                _ = try await ask(
                    "POST", "/api/users/\(user)/tweets", #"{"text":"of a wrong token","tweet":"wrong"}"#,
                    token: "wrong",
                    expecting: 401)
            default:
                _ = try await ask("GET", "/api/users/\(user)/tweets/t0/favorites?page=1", expecting: 200, 404)
                _ = try await ask("GET", "/api/users/nobody\(number)/followees?page=50", expecting: 200)
                _ = try await ask(
                    "POST", "/api/users/\(other)/tweets", #"{"text":"as another","tweet":"wrong"}"#, expecting: 403)
            }
        }
    }

    private final class Ledgers: Sendable {
        private let ledger = Mutex(Ledger())
        func change(_ change: (inout Ledger) -> Void) { ledger.withLock { change(&$0) } }
        var now: Ledger { ledger.withLock { $0 } }
    }

    private static func serve(_ bus: Bus, _ keys: String, port: Int) async throws -> (process: Running, port: Int) {
        let process = try bus.start(["up", "--http", "127.0.0.1:\(port)", "--token-keys", keys])
        let port = try await eventually("\(process.name) to serve: \(process.err)") {
            process.err.firstMatch(of: #/serving http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
        return (process, port)
    }

    @Test func `no write that was acknowledged is lost where the server is killed, and none is done twice`()
        async throws
    {
        try await onBus { bus in
            let keys = "\(bus.folder)/keys.json"
            #expect(try await bus.plain(["token", "keys", keys]).exit == 0)
            func token(_ subject: String) async throws -> String {
                try await bus.plain(
                    [
                        "token", "--token-keys", keys, "--subject", subject, "--scope", "social:send social:query",
                    ]
                ).out.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            let first = try await Self.serve(bus, keys, port: 0)
            let web = Web(bus: bus, process: first.process, port: first.port)
            #expect(try await bus.run("send", "RegisterUser", "--user", "there").exit == 0)
            try await bus.settle()
            let ledger = Ledgers()
            var clients: [Client] = []
            for number in 0..<Self.clients {
                clients.append(
                    Client(web: web, number: number, token: try await token("u\(number)"), ledger: ledger))
            }
            let writes = 3 * Self.clients * Self.turns
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in clients { group.addTask { try await client.run() } }
                var process = first.process
                for kill in 1...2 {
                    try await eventually("a third of the writes more", within: .seconds(300)) {
                        ledger.now.acknowledged >= kill * writes / 3 ? true : nil
                    }
                    try await process.crash()
                    process = try await Self.serve(bus, keys, port: first.port).process
                }
                try await group.waitForAll()
            }
            try await bus.settle()
            try await check(ledger.now, bus, clients)
        }
    }

    private func check(_ ledger: Ledger, _ bus: Bus, _ clients: [Client]) async throws {
        print("\(ledger.acknowledged) writes acknowledged, answers \(ledger.answers)")
        #expect(ledger.acknowledged == 3 * Self.clients * Self.turns)
        for status in [200, 400, 401, 403, 404] {
            #expect(ledger.answers[status] ?? 0 >= Self.clients / 2, "\(status)")
        }
        func facts(_ type: String, _ field: String) async throws -> [String] {
            try await bus.replay("social.events", "--type", type).map {
                "\($0["event"]["user"].string) \($0["event"][field].string)"
            }
            .sorted()
        }
        func written(_ all: [String: Set<String>]) -> [String] {
            all.flatMap { user, names in names.map { "\(user) \($0)" } }.sorted()
        }
        #expect(try await facts("TweetPosted", "tweet") == written(ledger.tweets))
        #expect(try await facts("UserFollowed", "followee") == written(ledger.follows))
        #expect(try await facts("TweetLiked", "tweet") == written(ledger.likes))
        // And the paths show them, each once.
        for client in clients {
            let list = try await client.ask("GET", "/api/users/\(client.user)/tweets", expecting: 200)
            let rows = list.json["tweets"].array
            #expect(Set(rows.map { $0["tweet"].string }) == ledger.tweets[client.user] && rows.count == Self.turns)
            #expect(rows.allSatisfy { $0["likes"].int == 1 }, "\(list)")
            let follows = try await client.ask("GET", "/api/users/\(client.user)/followees", expecting: 200)
            #expect(Set(follows.json["users"].array.map { $0["user"].string }) == ledger.follows[client.user])
        }
    }
}
