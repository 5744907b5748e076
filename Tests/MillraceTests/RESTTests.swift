import Foundation
import TestSupport
import Testing

/// The contract of docs/rest.md, path by path.
@Suite("The REST interface", .serialized, .timeLimit(.minutes(10)))
struct RESTTests {
    /// A gateway with keys, and a token for each name.
    private struct Place {
        let bus: Bus
        let web: Web
        let keys: String

        func token(_ subject: String, _ scopes: String = "social:send social:query") async throws -> String {
            let made = try await bus.plain(
                ["token", "--token-keys", keys, "--subject", subject, "--scope", scopes])
            #expect(made.exit == 0, "\(made)")
            return "Authorization: Bearer \(made.out.trimmingCharacters(in: .whitespacesAndNewlines))"
        }
        func ask(
            _ method: String, _ path: String, _ body: String? = nil, _ fields: String...
        ) async throws -> Web.Reply {
            Web.Reply(try await web.start(method, path, body.map { Array($0.utf8) }, fields).end().out)
        }
        /// Waits until views have all.
        func settle() async throws { #expect(try await bus.run("lag", "--wait", "30s").exit == 0) }
        func rows(_ reply: Web.Reply, _ list: String, _ field: String) -> [String] {
            reply.json[list].array.map { $0[field].string }
        }
    }

    private func serving(_ test: (Place) async throws -> Void) async throws {
        try await onBus { bus in
            let keys = "\(bus.folder)/keys.json"
            #expect(try await bus.plain(["token", "keys", keys]).exit == 0)
            let process = try bus.start(["up", "--http", "127.0.0.1:0", "--token-keys", keys])
            let port = try await eventually("\(process.name) to serve: \(process.err)") {
                process.err.firstMatch(of: #/serving http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
            }
            try await test(Place(bus: bus, web: Web(bus: bus, process: process, port: port), keys: keys))
        }
    }

    private static let reads = ["tweets", "followers", "followees", "home", "tweets/t1/favorites"]
    private static let writes = [
        ("POST", "tweets"), ("POST", "followers"), ("DELETE", "followers"), ("POST", "tweets/t1/favorites"),
        ("DELETE", "tweets/t1/favorites"),
    ]

    @Test func `asks for a token that may do it, but for a profile`() async throws {
        try await serving { place in
            let (none, other) = (
                try await place.token("ann", "orders:send"), try await place.token("ann", "social:query")
            )
            for path in Self.reads {
                let path = "/api/users/ann/\(path)"
                #expect(try await place.ask("GET", path).status == 401, "\(path)")
                #expect(
                    try await place.ask("GET", path, nil, "Authorization: Bearer nonsense").status == 401, "\(path)")
                #expect(try await place.ask("GET", path, nil, none).status == 403, "\(path)")
            }
            for (method, path) in Self.writes {
                let path = "/api/users/ann/\(path)"
                #expect(try await place.ask(method, path, "{}").status == 401, "\(method) \(path)")
                #expect(try await place.ask(method, path, "{}", other).status == 403, "\(method) \(path)")
            }
            #expect(try await place.ask("GET", "/api/users/ann").status == 404)
            #expect(try await place.ask("PUT", "/api/users/ann", "{}").status == 405)
            #expect(try await place.ask("GET", "/api/users/ann/nothing", nil, other).status == 404)
        }
    }

    @Test func `gives a profile, and says of one that is gone or never was`() async throws {
        try await serving { place in
            let sent = try await place.bus.run(
                "send", "RegisterUser", "--user", "ann", "--first-name", "Ann", "--location", "Oslo")
            #expect(sent.exit == 0, "\(sent)")
            #expect(try await place.bus.run("send", "RegisterUser", "--user", "gone").exit == 0)
            #expect(try await place.bus.run("send", "DeactivateUser", "--user", "gone").exit == 0)
            try await place.settle()
            let found = try await place.ask("GET", "/api/users/ANN")
            #expect(found.status == 200 && found.json["user"].string == "ann", "\(found)")
            #expect(found.json["firstName"].string == "Ann" && found.json["location"].string == "Oslo")
            #expect(!found.body.contains("credential"))
            #expect(try await place.ask("GET", "/api/users/gone").status == 410)
            let nobody = try await place.ask("GET", "/api/users/nobody")
            #expect(nobody.status == 404 && nobody.fields["content-type"] == "application/problem+json", "\(nobody)")
            for bad in ["a.b", "%C3%A9", "a%20b", "abcdefghijklmnopqrstu"] {
                let refused = try await place.ask("GET", "/api/users/\(bad)")
                #expect(refused.status == 400 && refused.json["field"].string == "username", "\(bad) \(refused)")
            }
            #expect(try await place.ask("GET", "/api/users/ann?after=accounts.events/0").status == 400)
            let other = try await place.ask("GET", "/api/users/ann?limit=5")
            #expect(other.status == 400 && other.json["field"] == "limit", "\(other)")
        }
    }

    @Test func `writes as the token's subject alone, and reads its own writes`() async throws {
        try await serving { place in
            let ann = try await place.token("ann")
            let body = #"{"text":"hello \ud83d\ude00","tweet":"t1"}"#
            let posted = try await place.ask("POST", "/api/users/Ann/tweets", body, ann, "Idempotency-Key: k1")
            #expect(posted.status == 200 && posted.json["tweet"].string == "t1", "\(posted)")
            #expect(posted.json["id"].string == "k1")
            let again = try await place.ask("POST", "/api/users/ann/tweets", body, ann, "Idempotency-Key: k1")
            #expect(again.json == posted.json, "\(again)")
            let after = posted.json["after"].string
            let list = try await place.ask("GET", "/api/users/ann/tweets?after=\(after)", nil, ann)
            #expect(place.rows(list, "tweets", "text") == ["hello 😀"], "\(list)")
            #expect(list.json["next"] == .null && list.json["tweets"][0]["likes"].int == 0)
            #expect(try await place.ask("POST", "/api/users/ben/tweets", body, ann).status == 403)
            #expect(
                try await place.ask("POST", "/api/users/ann/tweets", #"{"user":"ben","text":"x"}"#, ann).status == 400)
            for (bad, status) in [
                ("{", 400), ("[]", 400), ("", 400), (#"{"text":""}"#, 400), (#"{"txt":"x"}"#, 400),
                (#"{"text":1}"#, 400),
                (#"{"text":"\ud800"}"#, 400), (#"{"text":"\#(String(repeating: "x", count: 281))"}"#, 409),
                (#"{"text":"x","replyToUser":"ben"}"#, 400),
            ] {
                let refused = try await place.ask("POST", "/api/users/ann/tweets", bad, ann)
                #expect(refused.status == status, "\(bad) \(refused)")
            }
            let plain = try await place.ask("POST", "/api/users/ann/tweets", "text=x", ann, "Content-Type: text/plain")
            #expect(plain.status == 415, "\(plain)")
            let taken = try await place.ask("POST", "/api/users/ann/tweets", #"{"text":"other","tweet":"t1"}"#, ann)
            #expect(taken.status == 409 && taken.json["reason"].string == "tweet-exists", "\(taken)")
        }
    }

    @Test func `searches for whom the token is of, and tells what was looked for`() async throws {
        try await serving { place in
            let (ann, ben) = (try await place.token("ann"), try await place.token("ben"))
            func post(_ text: String, _ tweet: String) async throws -> String {
                let body = #"{"text":"\#(text)","tweet":"\#(tweet)"}"#
                return try await place.ask("POST", "/api/users/ann/tweets", body, ann).json["after"].string
            }
            _ = try await post("Green tea #milk", "t1")
            let after = try await post("tea, green", "t2")
            func search(_ query: String, _ token: String) async throws -> Web.Reply {
                try await place.ask("GET", "/api/search?\(query)", nil, token)
            }
            let found = try await search("q=green+tea&after=\(after)", ben)
            #expect(place.rows(found, "tweets", "tweet") == ["t2", "t1"], "\(found)")
            #expect(place.rows(try await search("q=%22green+tea%22", ben), "tweets", "tweet") == ["t1"])
            let ranked = try await search("q=tea+-%23x&order=ranked", ben)
            #expect(place.rows(ranked, "tweets", "tweet").sorted() == ["t1", "t2"], "\(ranked)")
            #expect(ranked.json["tweets"][0]["relevance"] != .null)
            for bad in [
                "", "q=", "q=-tea", "q=%22tea", "q=tea&order=best", "q=tea&page=0", "q=tea&cursor=x",
                "q=tea&oder=ranked",
            ] {
                let refused = try await search(bad, ben)
                #expect(refused.status == 400, "\(bad) \(refused)")
            }
            #expect(try await place.ask("GET", "/api/search?q=tea").status == 401)
            let queries = try await eventually("the searches on the log") { () -> [String]? in
                let events = try await place.bus.replay("social.searches")
                if events.count < 3 { return nil }
                #expect(events.allSatisfy { $0["event"]["user"].string == "ben" })
                return events.map { $0["event"]["query"].string }
            }
            #expect(queries.sorted() == ["\"green tea\"", "green tea", "tea -#x"])
            // Who is blocked finds nothing of who blocks.
            #expect(try await place.bus.run("send", "Block", "--user", "ann", "--blocked", "ben").exit == 0)
            try await place.settle()
            #expect(try await search("q=tea", ben).json["tweets"].array.isEmpty)
            #expect(try await search("q=tea", ann).json["tweets"].array.count == 2)
        }
    }

    @Test func `follows and unfollows, and lists who does`() async throws {
        try await serving { place in
            let (ann, ben) = (try await place.token("ann"), try await place.token("ben"))
            let followed = try await place.ask("POST", "/api/users/BEN/followers", nil, ann)
            #expect(followed.status == 200 && followed.json["follows"].string == "ben", "\(followed)")
            let twice = try await place.ask("POST", "/api/users/ben/followers", "{}", ann)
            #expect(twice.status == 200 && twice.json["after"] == .null, "\(twice)")
            let after = "?after=\(followed.json["after"].string)"
            let followers = try await place.ask("GET", "/api/users/ben/followers\(after)", nil, ben)
            #expect(place.rows(followers, "users", "user") == ["ann"], "\(followers)")
            let followees = try await place.ask("GET", "/api/users/ann/followees\(after)", nil, ben)
            #expect(place.rows(followees, "users", "user") == ["ben"], "\(followees)")
            let selfish = try await place.ask("POST", "/api/users/ann/followers", nil, ann)
            #expect(selfish.status == 409 && selfish.json["reason"].string == "self-follow", "\(selfish)")
            #expect(try await place.ask("POST", "/api/users/ben/followers", #"{"user":"cy"}"#, ann).status == 403)
            #expect(try await place.ask("POST", "/api/users/ben/followers", #"{"followee":"cy"}"#, ann).status == 400)
            let left = try await place.ask("DELETE", "/api/users/ben/followers", nil, ann)
            let nobody = try await place.ask(
                "GET", "/api/users/ben/followers?after=\(left.json["after"].string)", nil, ben)
            #expect(nobody.status == 200 && nobody.json["users"].array.isEmpty, "\(nobody)")
            // Of who never did anything all is empty.
            for path in ["tweets", "followers", "followees"] {
                let empty = try await place.ask("GET", "/api/users/nobody/\(path)?page=3", nil, ann)
                #expect(empty.status == 200 && empty.json["next"] == .null, "\(path) \(empty)")
            }
        }
    }

    @Test func `likes once, what is there, and of a retweet what it passes on`() async throws {
        try await serving { place in
            let (ann, ben) = (try await place.token("ann"), try await place.token("ben"))
            let path = "/api/users/ben/tweets/t1/favorites"
            #expect(try await place.ask("POST", path, nil, ann).status == 404)
            #expect(try await place.ask("GET", path, nil, ann).status == 404)
            let posted = try await place.ask("POST", "/api/users/ben/tweets", #"{"text":"x","tweet":"t1"}"#, ben)
            let passed = try await place.bus.run(
                "send", "Retweet", "--user", "cy", "--owner", "ben", "--original", "t1", "--tweet", "r1")
            #expect(passed.exit == 0)
            try await place.settle()
            let after = posted.json["after"].string
            var last: Web.Reply?
            for _ in 0..<10 { last = try await place.ask("POST", "\(path)?after=\(after)", nil, ann) }
            #expect(last?.status == 200 && last?.json["after"] == .null, "\(String(describing: last))")
            let liked = try await place.ask("POST", "/api/users/cy/tweets/r1/favorites", nil, ben)
            #expect(liked.status == 200 && liked.json["likes"].string == "t1", "\(liked)")
            let seen = "?after=\(liked.json["after"].string)"
            for path in [path, "/api/users/cy/tweets/r1/favorites"] {
                let likers = try await place.ask("GET", path + seen, nil, ann)
                #expect(Set(place.rows(likers, "users", "user")) == ["ann", "ben"], "\(likers)")
            }
            let left = try await place.ask("DELETE", path, nil, ann)
            #expect(left.status == 200, "\(left)")
            #expect(try await place.ask("DELETE", path, nil, ann).json["after"] == .null)
            let likers = try await place.ask("GET", "\(path)?after=\(left.json["after"].string)", nil, ann)
            #expect(place.rows(likers, "users", "user") == ["ben"], "\(likers)")
            #expect(try await place.bus.run("send", "DeleteTweet", "--user", "ben", "--tweet", "t1").exit == 0)
            try await place.settle()
            #expect(try await place.ask("GET", path, nil, ann).status == 404)
            #expect(try await place.ask("POST", path, nil, ann).status == 404)
            // What was liked can be taken back also once it is gone.
            #expect(try await place.ask("DELETE", path, nil, ben).status == 200)
            #expect(try await place.ask("POST", "/api/users/ben/tweets/a%20b/favorites", nil, ann).status == 400)
        }
    }

    @Test func `has pages by number and by cursor, and says where they end`() async throws {
        try await serving { place in
            let ann = try await place.token("ann")
            let lines = (0..<45).map { #"{"user":"ann","text":"number \#($0)","tweet":"t\#($0)"}"# }
            let file = try place.bus.file("tweets.ndjson", lines.joined(separator: "\n"))
            #expect(try await place.bus.run("send", "PostTweet", "--file", file).exit == 0)
            try await place.settle()
            func page(_ query: String) async throws -> Web.Reply {
                try await place.ask("GET", "/api/users/ann/tweets\(query)", nil, ann)
            }
            let (one, two, three, four) = (
                try await page(""), try await page("?page=2"), try await page("?page=3"), try await page("?page=4")
            )
            #expect([one, two, three, four].map { $0.json["tweets"].array.count } == [20, 20, 5, 0], "\(one)")
            let numbered = [one, two, three].flatMap { place.rows($0, "tweets", "tweet") }
            #expect(Set(numbered).count == 45 && numbered.count == 45)
            var (cursored, next) = (place.rows(one, "tweets", "tweet"), one.json["next"].string)
            // What comes meanwhile moves no page that goes on by its cursor.
            #expect(try await place.bus.run("send", "PostTweet", "--user", "ann", "--text", "new").exit == 0)
            try await place.settle()
            while !next.isEmpty {
                let more = try await page("?cursor=\(next)")
                #expect(more.status == 200, "\(more)")
                cursored += place.rows(more, "tweets", "tweet")
                next = more.json["next"].string
            }
            #expect(cursored == numbered)
            #expect(try await page("?page=50").json["tweets"].array.isEmpty)
            for bad in [
                "?pgae=2", "?page=0", "?page=51", "?page=-1", "?page=x", "?page=1&cursor=\(one.json["next"].string)",
                "?cursor=x",
            ] {
                let refused = try await page(bad)
                #expect(refused.status == 400, "\(bad) \(refused)")
            }
            for (query, field) in [("?limit=5", "limit"), ("?page=1&foo=1", "foo"), ("?pages=2", "pages")] {
                let refused = try await page(query)
                #expect(refused.status == 400 && refused.json["field"].string == field, "\(query) \(refused)")
            }
            let wrong = try await place.ask(
                "POST", "/api/users/ann/tweets?page=1", #"{"text":"a"}"#, ann, "Content-Type: application/json")
            #expect(wrong.status == 400 && wrong.json["field"] == "page", "\(wrong)")
            let other = try await place.ask(
                "GET", "/api/users/ann/followers?cursor=\(one.json["next"].string)", nil, ann)
            #expect(other.status == 400, "\(other)")
            #expect(try await page("?after=orders.events/0@0").status == 400)
            #expect(try await page("?after=social.events/0@999999").status == 400)
        }
    }

    @Test func `who judges others is a reviewer, and nobody else who may send`() async throws {
        try await serving { place in
            let ann = try await place.token("ann")
            let eve = try await place.token("eve", "social:review")
            let lines = "Content-Type: application/x-ndjson"
            for command in ["ConfirmFake", "ClearAccount"] {
                let verdict = #"{"account":"bot"}"#
                let refused = try await place.ask("POST", "/commands/\(command)", verdict, ann)
                #expect(refused.status == 403, "\(refused)")
                #expect(refused.fields["www-authenticate"]?.contains(#"scope="social:review""#) == true, "\(refused)")
                let line = try await place.ask("POST", "/commands?command=\(command)", verdict, lines, ann)
                #expect(line.json["status"].int == 403, "\(line)")
                let taken = try await place.ask("POST", "/commands/\(command)", verdict, eve)
                #expect(taken.json["outcome"].string == "accepted", "\(taken)")
                let inLine = try await place.ask("POST", "/commands?command=\(command)", verdict, lines, eve)
                #expect(inLine.json["outcome"].string == "accepted", "\(inLine)")
            }
            // A reviewer writes no tweets.
            #expect(try await place.ask("POST", "/commands/PostTweet", #"{"text":"x"}"#, eve).status == 403)
        }
    }

    @Test func `shows a home timeline to whose it is, without whom they have blocked`() async throws {
        try await serving { place in
            let (ann, ben) = (try await place.token("ann"), try await place.token("ben"))
            for other in ["ben", "cy"] {
                #expect(try await place.ask("POST", "/api/users/\(other)/followers", nil, ann).status == 200)
                let sent = try await place.bus.run("send", "PostTweet", "--user", other, "--text", "by \(other)")
                #expect(sent.exit == 0)
            }
            try await place.settle()
            let home = try await place.ask("GET", "/api/users/ann/home", nil, ann)
            #expect(place.rows(home, "tweets", "user") == ["cy", "ben"], "\(home)")
            #expect(try await place.ask("GET", "/api/users/ann/home", nil, ben).status == 403)
            #expect(try await place.bus.run("send", "Block", "--user", "ann", "--blocked", "ben").exit == 0)
            try await place.settle()
            let blocked = try await place.ask("GET", "/api/users/ann/home", nil, ann)
            #expect(place.rows(blocked, "tweets", "user") == ["cy"], "\(blocked)")
            let tweets = try await place.ask("GET", "/api/users/ann/tweets", nil, ben)
            #expect(tweets.status == 200 && tweets.json["tweets"].array.isEmpty, "\(tweets)")
            #expect(
                try await place.ask("POST", "/api/users/ben/followers", nil, ann).json["reason"].string == "blocked")
        }
    }

    @Test func `loses nothing that it has acknowledged, asked by many at once`() async throws {
        try await serving { place in
            let tokens = try await (0..<4).asyncMap { try await place.token("u\($0)") }
            let acknowledged = try await withThrowingTaskGroup(of: String?.self) { group in
                for i in 0..<120 {
                    group.addTask {
                        let reply = try await place.ask(
                            "POST", "/api/users/u\(i % 4)/tweets", #"{"text":"n \#(i)","tweet":"t\#(i)"}"#,
                            tokens[i % 4])
                        return reply.status == 200 ? "u\(i % 4)/t\(i)" : nil
                    }
                }
                return try await group.reduce(into: Set<String>()) { if let name = $1 { $0.insert(name) } }
            }
            try await place.settle()
            var shown: Set<String> = []
            for (i, token) in tokens.enumerated() {
                for page in 1...3 {
                    let reply = try await place.ask("GET", "/api/users/u\(i)/tweets?page=\(page)", nil, token)
                    shown.formUnion(place.rows(reply, "tweets", "tweet").map { "u\(i)/\($0)" })
                }
            }
            #expect(
                acknowledged.count > 100 && shown.isSuperset(of: acknowledged), "\(acknowledged.subtracting(shown))")
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ body: (Element) async throws -> T) async throws -> [T] {
        var all: [T] = []
        for element in self { all.append(try await body(element)) }
        return all
    }
}
