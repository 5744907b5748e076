internal import EventModel
internal import SwiftProtobuf

/// Paths as those who wrote clients for the first Twitter know them, over the commands and queries of this domain: see
/// docs/rest.md, which is their contract.
enum SocialRoutes {
    static let all = [
        tweets, followers, followees, favorites, home, search, post, follow, unfollow, favor, unfavor,
    ].map(\.refusingOtherParameters)

    /// Rows of a page.
    static let size = 20
    /// The last page that is found by its number: each costs as much as all before it.
    static let pages: Int64 = 50

    private static let page = OptionalParameter<Int64>(
        "page", "which page of \(size), from 1 to \(pages); further ones go by cursor")
    private static let cursor = OptionalParameter<String>("cursor", "next of the page before, instead of page")
    private static let after = OptionalParameter<String>(
        "after", "what the view must have seen: after of an answer, or TOPIC/PARTITION@OFFSET")

    // MARK: What is read

    private static let tweets = list(
        "/api/users/{username}/tweets", "What a user tweeted and retweeted, newest first.", of: "social.user",
        as: "tweets", isViewed: true)
    private static let followers = list(
        "/api/users/{username}/followers", "Who follows a user, the latest first.", of: "social.followers",
        as: "users")
    private static let followees = list(
        "/api/users/{username}/followees", "Whom a user follows, the latest first.", of: "social.followees",
        as: "users")
    private static let home = Route(
        .get, "/api/users/{username}/home", "One's own home timeline, newest first.",
        taking: [page, cursor, after], replying: [listed, Route.Reply(403, "It is another's.", problem)]
    ) { request, bus in
        let user = try handle(request)
        if let subject = request.subject, subject != user {
            throw RouteProblem(.forbidden, "the timeline of \(user) is theirs alone, and the token is of \(subject)")
        }
        return try await read("social.timeline", ["user": .text(user), "counts": 1], "tweets", request, bus)
    }
    private static let favorites = Route(
        .get, "/api/users/{username}/tweets/{tweetid}/favorites", "Who likes a tweet, the latest first.",
        taking: [page, cursor, after], replying: [listed, unknown]
    ) { request, bus in
        let (owner, tweet) = try await original(request, bus)
        var arguments: [String: Value] = ["owner": .text(owner), "tweet": .text(tweet)]
        arguments["viewer"] = request.subject.map { .text($0) }
        return try await read("social.likes", arguments, "users", request, bus)
    }

    private static let words = OptionalParameter<String>("q", "what is looked for, as social.search takes it")
    private static let order = OptionalParameter<String>(
        "order", oneOf: ["newest", "ranked"], "newest first, or best first (default: newest)")
    private static let search = Route(
        .get, "/api/search", "Tweets by what they say and who wrote them.",
        taking: [words, order, page, cursor, after], replying: [listed]
    ) { request, bus in
        guard let query = request[words] else { throw Malformed("q", "is missing") }
        var arguments: [String: Value] = ["q": .text(query)]
        arguments["order"] = request[order].map { .text($0) }
        arguments["viewer"] = request.subject.map { .text($0) }
        let reply = try await read("social.search", arguments, "tweets", request, bus)
        // Who turns pages looks once.
        if request[cursor] == nil, request[page] ?? 1 == 1, !request.isHead {
            let user = request.subject.flatMap(handle) ?? ""
            try bus.produce(SocialSearchPerformed.with { ($0.user, $0.query) = (user, query) }, at: request.now)
        }
        return reply
    }

    /// A subject that is a handle: a token may be of somebody else, who has no timeline.
    private static func handle(_ subject: String) -> String? {
        guard (try? Social.check(handle: subject, "user")) != nil else { return nil }
        return Social.handle(subject)
    }

    // MARK: What is done

    private static let post = Route(
        .post, "/api/users/{username}/tweets", "Write a tweet, as whom the token is of.", scope: .send,
        reading: [.json], replying: [done, refused]
    ) { request, bus in
        var command: SocialPostTweet = try body(request)
        try name(&command.user, handle(request))
        return try await send(command, "tweet", request, bus) { outcome in
            command.tweet.isEmpty ? outcome.id : command.tweet
        }
    }
    private static let follow = Route(
        .post, "/api/users/{username}/followers", "Follow a user, as whom the token is of.", scope: .send,
        reading: [.json], replying: [done, refused]
    ) { request, bus in
        var command: SocialFollow = try body(request)
        try name(&command.followee, handle(request), "followee")
        return try await send(command, "follows", request, bus) { _ in command.followee }
    }
    private static let unfollow = Route(
        .delete, "/api/users/{username}/followers", "Follow a user no more.", scope: .send, reading: [.json],
        replying: [done, refused]
    ) { request, bus in
        var command: SocialUnfollow = try body(request)
        try name(&command.followee, handle(request), "followee")
        return try await send(command, "unfollows", request, bus) { _ in command.followee }
    }
    private static let favor = Route(
        .post, "/api/users/{username}/tweets/{tweetid}/favorites", "Like a tweet, as whom the token is of.",
        scope: .send, taking: [after], reading: [.json], replying: [done, refused, unknown]
    ) { request, bus in
        var command: SocialLikeTweet = try body(request)
        let (owner, tweet) = try await original(request, bus)
        try name(&command.owner, owner, "owner")
        try name(&command.tweet, tweet, "tweet")
        return try await send(command, "likes", request, bus) { _ in tweet }
    }
    private static let unfavor = Route(
        .delete, "/api/users/{username}/tweets/{tweetid}/favorites", "Like a tweet no more.", scope: .send,
        taking: [after], reading: [.json], replying: [done, refused]
    ) { request, bus in
        var command: SocialUnlikeTweet = try body(request)
        // A like of what was deleted meanwhile can be taken back too.
        let named = (owner: try handle(request), tweet: try tweetID(request))
        let found = try? await original(request, bus)
        let (owner, tweet) = found ?? named
        try name(&command.owner, owner, "owner")
        try name(&command.tweet, tweet, "tweet")
        return try await send(command, "unlikes", request, bus) { _ in tweet }
    }

    // MARK: How

    private static let problem = "application/problem+json"
    private static let listed = Route.Reply(200, "A page, and where the next begins.")
    private static let done = Route.Reply(200, "It is done, now or before.")
    private static let refused = Route.Reply(409, "It is refused: reason is for programs.", problem)
    private static let unknown = Route.Reply(404, "There is no such tweet, or it was deleted.", problem)

    private static func list(
        _ template: String, _ about: String, of query: String, as name: String, isViewed: Bool = false
    ) -> Route {
        Route(.get, template, about, taking: [page, cursor, after], replying: [listed]) { request, bus in
            var arguments: [String: Value] = ["user": .text(try handle(request))]
            if isViewed {
                arguments["counts"] = 1
                arguments["viewer"] = request.subject.map { .text($0) }
            }
            return try await read(query, arguments, name, request, bus)
        }
    }

    /// A page by its number, or by where the one before ended.
    private static func read(
        _ query: String, _ arguments: [String: Value], _ name: String, _ request: RouteRequest, _ bus: any RouteBus
    ) async throws -> RouteReply {
        let number = request[page] ?? 1
        if request[page] != nil, request[cursor] != nil {
            throw Malformed("page", "and cursor exclude each other")
        }
        if number < 1 || number > pages {
            throw Malformed("page", "is \(number), it must be 1 to \(pages); go on by cursor=, which is next of a page")
        }
        let before = Int(number - 1) * size
        var answer = try await bus.query(
            query, arguments, after: request.places(after), limit: before + size, cursor: request[cursor])
        answer.rows = Array(answer.rows.dropFirst(before))
        let next = answer.next.map { RouteAnswer.quoted($0) } ?? "null"
        return .json("{\"\(name)\":[\(answer.objects.joined(separator: ","))],\"next\":\(next)}\n")
    }

    private static func handle(_ request: RouteRequest) throws(Malformed) -> String {
        let user = request.variables["username"] ?? ""
        try Social.check(handle: user, "username")
        return Social.handle(user)
    }

    private static func tweetID(_ request: RouteRequest) throws(Malformed) -> String {
        let tweet = request.variables["tweetid"] ?? ""
        try Check.identifier(tweet, "tweetid", atMost: SocialLimits.tweet)
        return tweet
    }

    /// The tweet that the path names; of a retweet what it passes on.
    private static func original(_ request: RouteRequest, _ bus: any RouteBus) async throws -> (
        owner: String, tweet: String
    ) {
        let (owner, tweet) = (try handle(request), try tweetID(request))
        let answer = try await bus.query(
            "social.tweet", ["owner": .text(owner), "tweet": .text(tweet)], after: request.places(after), limit: 1,
            cursor: nil)
        guard let row = answer.rows.first, let user = row[0].text, let name = row[1].text else {
            throw RouteProblem(.notFound, "\(owner) has no tweet \(tweet), or deleted it")
        }
        return (user, name)
    }

    /// A command of the body's fields; without a body it has none.
    private static func body<C: Message>(_ request: RouteRequest) throws(Malformed) -> C {
        guard case .json(let json) = request.body else { return C() }
        do {
            // The library reads pairs of surrogates otherwise: as all JSON of messages is read.
            return try C(jsonString: JSONEscapes.decodingPairs(Bytes(json)).text)
        } catch {
            throw Malformed(
                "body", "is no JSON object with fields of \(C.protoMessageName.split(separator: ".").last ?? "")")
        }
    }

    /// What the path says goes; a body may say the same.
    private static func name(_ field: inout String, _ said: String, _ name: String = "user") throws(Malformed) {
        let isSame = field.isEmpty || field == said || (name != "tweet" && Social.handle(field) == said)
        if !isSame { throw Malformed(name, "is \(field.prefix(40)), and the path says \(said)") }
        field = said
    }

    private static func send<C: Message>(
        _ command: C, _ member: String, _ request: RouteRequest, _ bus: any RouteBus, _ value: (RouteOutcome) -> String
    ) async throws -> RouteReply {
        let outcome = try await bus.send(command, id: request[.idempotencyKey], within: nil)
        _ = try outcome.get()
        let after = outcome.places.isEmpty ? "null" : RouteAnswer.quoted(outcome.written)
        return .json(
            "{\"id\":\(RouteAnswer.quoted(outcome.id)),\"\(member)\":\(RouteAnswer.quoted(value(outcome))),\"after\":\(after)}\n"
        )
    }
}
