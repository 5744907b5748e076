import Foundation
import TestSupport
import Testing

/// A gateway with keys, where people sign in.
private struct Door: Sendable {
    let bus: Bus
    let web: Web

    static func open(_ bus: Bus, _ more: String...) async throws -> Door {
        let keys = "\(bus.folder)/keys.json"
        if !FileManager.default.fileExists(atPath: keys) {
            #expect(try await bus.plain(["token", "keys", keys]).exit == 0)
        }
        let process = try bus.start(["up", "--http", "127.0.0.1:0", "--token-keys", keys, "--access-log"] + more)
        let port = try await eventually("\(process.name) to serve: \(process.err)") {
            process.err.firstMatch(of: #/serving http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
        return Door(bus: bus, web: Web(bus: bus, process: process, port: port))
    }

    func post(_ command: String, _ json: String, id: String? = nil, _ fields: String...) async throws -> Web.Reply {
        let all = fields + (id.map { ["Idempotency-Key: \($0)"] } ?? [])
        return Web.Reply(
            try await web.start("POST", "/commands/\(command)?wait=40s", Array(json.utf8), all).end().out)
    }

    func register(_ user: String, _ password: String, id: String? = nil) async throws -> Web.Reply {
        try await post("RegisterUser", #"{"user":"\#(user)","password":"\#(password)"}"#, id: id)
    }

    /// Signs in as soon as the view has what was done before.
    func signIn(_ user: String, _ password: String, after: Web.Reply? = nil, id: String? = nil) async throws
        -> Web.Reply
    {
        let place = after?.json["events"].array.last.map {
            "&after=\($0["topic"].string)/\($0["partition"].int)@\($0["offset"].int)"
        }
        return Web.Reply(
            try await web.start(
                "POST", "/commands/OpenSession?wait=40s\(place ?? "")",
                Array(#"{"user":"\#(user)","password":"\#(password)"}"#.utf8),
                id.map { ["Idempotency-Key: \($0)"] } ?? []
            ).end().out)
    }

    func bearer(_ reply: Web.Reply) -> String { "Authorization: Bearer \(reply.json["token"].string)" }
}

@Suite("Accounts over HTTP", .serialized, .timeLimit(.minutes(10)))
struct HTTPAccountTests {
    @Test func `somebody registers, signs in, tweets as themselves alone, signs out and is out`() async throws {
        try await onBus { bus in
            let door = try await Door.open(bus)
            let registered = try await door.register("Ann", "correct horse battery")
            #expect(registered.status == 200 && registered.json["outcome"].string == "accepted", "\(registered)")
            let opened = try await door.signIn("ANN", "correct horse battery", after: registered)
            #expect(opened.status == 200, "\(opened)")
            let ann = door.bearer(opened)
            let who = try await door.web.get("/session", ann)
            #expect(who.json["subject"].string == "ann", "\(who)")
            let scopes = Set(who.json["scopes"].array.map(\.string))
            #expect(scopes.isSuperset(of: ["accounts:send", "social:query", "social:send"]), "\(who)")
            #expect(
                !scopes.contains { $0.hasPrefix("orders") || $0.hasPrefix("tickets") || $0.hasPrefix("*") }, "\(who)")
            let tweet = try await door.post("PostTweet", #"{"text":"hello"}"#, ann)
            #expect(tweet.status == 200, "\(tweet)")
            #expect(try await door.post("PostTweet", #"{"user":"ben","text":"hello"}"#, ann).status == 403)
            // What says not who acts, or judges others, is nobody's to do who has only signed in.
            for (command, json) in [
                ("ListEvent", "{}"), ("AssignCourier", #"{"order":"o1","courier":"ann"}"#),
                ("ConfirmFake", #"{"account":"ben"}"#), ("ClearAccount", #"{"account":"ben"}"#),
            ] {
                #expect(try await door.post(command, json, ann).status == 403, "\(command)")
            }
            #expect(try await door.web.get("/workers", ann).status == 403)
            #expect(try await door.web.get("/views/accounts.sessions?user=ben", ann).status == 403)
            let session = opened.json["session"].string
            let closed = try await door.post("CloseSession", #"{"session":"\#(session)"}"#, ann)
            #expect(closed.status == 200, "\(closed)")
            let out = try await door.web.get("/session", ann)
            #expect(out.status == 401 && out.body.contains("session has ended"), "\(out)")
            #expect(try await door.post("PostTweet", #"{"text":"still here"}"#, ann).status == 401)
        }
    }

    @Test func `who closes a session ends nobody's of the same name`() async throws {
        try await onBus { bus in
            let door = try await Door.open(bus)
            var bearers: [String] = []
            for user in ["ann", "ben"] {
                let registered = try await door.register(user, "correct horse battery")
                let opened = try await door.signIn(user, "correct horse battery", after: registered, id: "s1")
                #expect(opened.status == 200 && opened.json["session"] == "s1", "\(opened)")
                bearers.append(door.bearer(opened))
            }
            #expect(try await door.post("CloseSession", #"{"session":"s1"}"#, bearers[1]).status == 200)
            // Closed sessions are known once that is answered.
            #expect(try await door.web.get("/session", bearers[1]).status == 401)
            let ann = try await door.web.get("/session", bearers[0])
            #expect(ann.status == 200 && ann.json["subject"] == "ann", "\(ann)")
        }
    }

    @Test func `a name is registered once, whatever its case, also by many at once`() async throws {
        try await onBus { bus in
            let door = try await Door.open(bus)
            let replies = try await withThrowingTaskGroup(of: (String, Web.Reply).self) { group in
                for (i, name) in ["eve", "Eve", "EVE", "eVe"].enumerated() {
                    let password = "password of number \(i)"
                    group.addTask { (password, try await door.register(name, password)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let won = replies.filter { $0.1.status == 200 }
            #expect(won.count == 1 && replies.count == 4, "\(replies)")
            #expect(replies.allSatisfy { $0.1.status == 200 || $0.1.json["reason"].string == "name-taken" })
            let first = try #require(won.first)
            for (password, _) in replies {
                let reply = try await door.signIn("eve", password, after: first.1)
                #expect(reply.status == (password == first.0 ? 200 : 401), "\(reply)")
            }
        }
    }

    @Test func `the same request again is the same, and under its id no other password`() async throws {
        try await onBus { bus in
            let door = try await Door.open(bus)
            let first = try await door.register("ann", "correct horse battery", id: "r1")
            let again = try await door.register("ann", "correct horse battery", id: "r1")
            #expect(first.status == 200 && again.json == first.json, "\(first) \(again)")
            #expect(try await door.register("ann", "another horse", id: "r1").status == 409)
            let opened = try await door.signIn("ann", "correct horse battery", after: first, id: "s1")
            let reopened = try await door.signIn("ann", "correct horse battery", id: "s1")
            #expect(opened.json["session"] == reopened.json["session"], "\(opened) \(reopened)")
            // An id that somebody overheard opens nothing without the password.
            #expect(try await door.signIn("ann", "wrong horse", id: "s1").status == 401)
        }
    }

    @Test func `who changes the password shows the old one, and is out everywhere else`() async throws {
        try await onBus { bus in
            let door = try await Door.open(bus)
            let registered = try await door.register("ann", "correct horse battery")
            let one = try await door.signIn("ann", "correct horse battery", after: registered)
            let two = try await door.signIn("ann", "correct horse battery")
            let (ann, other) = (door.bearer(one), door.bearer(two))
            let session = one.json["session"].string
            func change(_ old: String, _ new: String) async throws -> Web.Reply {
                try await door.post(
                    "ChangePassword",
                    #"{"password":"\#(new)","oldPassword":"\#(old)","session":"\#(session)"}"#, ann)
            }
            #expect(try await change("wrong horse", "another battery").status == 403)
            #expect(try await change("correct horse battery", "short").status == 400)
            #expect(try await door.post("ChangePassword", #"{"password":"another battery"}"#, ann).status == 400)
            // Nor in any other way.
            let lines = "Content-Type: application/x-ndjson"
            let line = try await door.web.ask("POST", "/commands?command=ChangePassword", "{}\n", lines, ann)
            #expect(line.json["status"].int == 400, "\(line)")
            let changed = try await change("correct horse battery", "another battery")
            #expect(changed.status == 200, "\(changed)")
            #expect(try await door.web.get("/session", other).status == 401)
            #expect(try await door.web.get("/session", ann).status == 200)
            #expect(try await door.signIn("ann", "correct horse battery", after: changed).status == 401)
            #expect(try await door.signIn("ann", "another battery").status == 200)
            let left = try await door.post("DeactivateUser", "{}", ann)
            #expect(left.status == 200, "\(left)")
            #expect(try await door.web.get("/session", ann).status == 401)
            #expect(try await door.signIn("ann", "another battery", after: left).status == 401)
            #expect(try await door.register("Ann", "correct horse battery").json["reason"].string == "name-taken")
        }
    }

    @Test func `wrong passwords and names that are not there are told alike, and soon not looked at`() async throws {
        try await onBus { bus in
            let door = try await Door.open(bus)
            let registered = try await door.register("ann", "correct horse battery")
            let wrong = try await door.signIn("ann", "wrong horse battery", after: registered)
            let nobody = try await door.signIn("nobody", "wrong horse battery")
            #expect(wrong.status == 401 && wrong.body == nobody.body, "\(wrong) \(nobody)")
            var last = wrong
            for _ in 0..<12 where last.status == 401 { last = try await door.signIn("ann", "wrong horse battery") }
            #expect(last.status == 429 && last.fields["retry-after"] != nil, "\(last)")
            // The right one waits too: else it could be guessed still.
            #expect(try await door.signIn("ann", "correct horse battery").status == 429)
        }
    }

    @Test func `registering takes nothing of signing in, and what is refused at once nothing of registering`()
        async throws
    {
        try await onBus { bus in
            let door = try await Door.open(bus)
            // More than there are of either.
            for _ in 0..<65 {
                let short = try await door.register("ann", "short")
                #expect(short.status == 400, "\(short)")
            }
            var first: Web.Reply?
            for number in 0..<11 {
                let registered = try await door.register("ann\(number)", "correct horse battery", id: "r\(number)")
                #expect(registered.status == 200, "\(registered)")
                first = first ?? registered
            }
            let again = try await door.register("ann0", "correct horse battery", id: "r0")
            #expect(again.json == first?.json, "\(again)")
            let opened = try await door.signIn("ann0", "correct horse battery", after: first)
            #expect(opened.status == 200, "\(opened)")
        }
    }

    @Test func `what is wrong with the store of passwords is told to its operator alone`() async throws {
        try await onBus { bus in
            let store = "\(bus.folder)/passwords.db"
            let door = try await Door.open(bus, "--credentials", store)
            try Data("this is no database, whatever its name says".utf8).write(to: URL(fileURLWithPath: store))
            chmod(store, 0o600)
            for _ in 0..<2 {
                let opened = try await door.signIn("ann", "correct horse battery")
                #expect(opened.status == 503 && opened.fields["retry-after"] != nil, "\(opened)")
                #expect(opened.json["detail"].string == "passwords cannot be checked now", "\(opened)")
                #expect(!opened.body.contains("passwords.db"), "\(opened)")
                // For others to read it is no better.
                chmod(store, 0o644)
            }
            let ended = try await door.web.stop()
            #expect(ended.err.contains(store) && ended.err.contains("chmod 600"), "\(ended.err.suffix(2000))")
        }
    }

    @Test func `nothing is served beside a store of passwords that others can read`() async throws {
        try await onBus { bus in
            let store = "\(bus.folder)/passwords.db"
            #expect(FileManager.default.createFile(atPath: store, contents: nil))
            chmod(store, 0o644)
            let refused = try await bus.run("up", "--http", "127.0.0.1:0", "--credentials", store)
            #expect(refused.exit == 78 && refused.err.contains("chmod 600 \(store)"), "\(refused)")
        }
    }

    @Test func `a store of passwords in a folder that is not there is told at the start`() async throws {
        try await onBus { bus in
            let folder = "\(bus.folder)/missing"
            let (store, told) = ("\(folder)/passwords.db", "there is no folder \(folder) for the store of credentials")
            let up = try await bus.run("up", "--http", "127.0.0.1:0", "--credentials", store)
            #expect(up.exit == 73 && up.err.contains(told) && up.err.contains("--credentials"), "\(up)")
            let register = try await bus.run(
                "account", "register", "--user", "ann", "--credentials", store, stdin: "x\n")
            #expect(register.exit == 73 && register.err.contains(told), "\(register)")
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
    }

    @Test func `a password is in no file but as its hash, in no log line and in no answer`() async throws {
        try await onBus { bus in
            let door = try await Door.open(bus)
            let secret = "Zanzibar-4711-Zanzibar"
            let registered = try await door.register("ann", secret)
            _ = try await door.signIn("ann", secret, after: registered)
            _ = try await door.register("ann", secret)
            _ = try await door.post("RegisterUser", #"{"user":"ann","password":"\#(secret)","x":1}"#)
            _ = try await door.post("RegisterUser", #"{"user":"ann","password":"\#(secret)""#)
            _ = try await door.post("RegisterUser", #"{"user":"\#(secret)"}"#)
            let ended = try await door.web.stop()
            #expect(!ended.err.contains(secret.prefix(8)))
            let files = FileManager.default.enumerator(atPath: bus.folder)?.allObjects as? [String] ?? []
            for file in files where !file.hasSuffix(".body") {
                guard let data = FileManager.default.contents(atPath: "\(bus.folder)/\(file)") else { continue }
                #expect(data.range(of: Data(secret.utf8)) == nil, "\(file)")
                let isStore = file.hasSuffix("credentials.db")
                #expect((data.range(of: Data("$scrypt$ln=17,r=8,p=1$".utf8)) != nil) == isStore, "\(file)")
            }
        }
    }

    @Test func `the command line registers and signs in from a file, never from an argument`() async throws {
        try await onBus { bus in
            let door = try await Door.open(bus)
            let file = "\(bus.folder)/ann.password"
            try Data("correct horse battery\nand more\n".utf8).write(to: URL(fileURLWithPath: file))
            let registered = try await bus.run("account", "register", "--user", "Ann", "--password-file", file)
            #expect(registered.exit == 0, "\(registered)")
            try await bus.run("lag", "--wait", "30s")
            let signed = try await bus.run(
                "account", "sign-in", "--user", "ann", "--password-file", file, "--token-keys",
                "\(bus.folder)/keys.json")
            #expect(signed.exit == 0, "\(signed)")
            let token = try JSON(signed.out)["token"].string
            #expect(
                try await door.web.get("/session", "Authorization: Bearer \(token)").json["subject"].string == "ann")
            #expect(try await door.signIn("ann", "correct horse battery").status == 200)
            try Data("wrong horse battery\n".utf8).write(to: URL(fileURLWithPath: file))
            let wrong = try await bus.run("account", "sign-in", "--user", "ann", "--password-file", file)
            #expect(wrong.exit == 77, "\(wrong)")
            let argument = try await bus.run("account", "register", "--user", "ben", "--password", "correct horse")
            #expect(argument.exit == 64, "\(argument)")
            let none = try await bus.run("account", "register", "--user", "ben")
            #expect(none.exit == 64 && none.err.contains("--password-file"), "\(none)")
        }
    }
}
