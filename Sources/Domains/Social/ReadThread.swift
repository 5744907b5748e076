internal import EventModel

/// Reads a conversation: the tweets before one, that one, and all that answer it, each answer right below what it answers, the
/// oldest first.
///
/// A page's place is the way from the tweet to its last row, three values a step. What was deleted is not shown; what answers
/// it is.
struct ReadThread {
    static let columns = [
        Column("depth", .integer, "0 is the tweet that was asked for, below zero what it answers"),
        Column("posted_at", .timestamp), Column("user", .text), Column("tweet", .text), Column("text", .text),
        Column("reply_to_user", .text), Column("reply_to_tweet", .text), Column("quoted_user", .text),
        Column("quoted_tweet", .text), Column("quoted_text", .text, "empty where it is gone, or not for the reader"),
        Column("likes", .integer), Column("replies", .integer), Column("quotes", .integer),
        Column("retweets", .integer),
    ]
    private typealias Tweet = Timelines.Tweet

    private let reader: any ViewReader
    private let hidden: Hidden
    private var originals: ReadOriginals
    private let root: Row

    init(_ user: String, _ tweet: String, _ reader: any ViewReader, for viewer: String?) throws {
        (self.reader, hidden, root) = (reader, try Hidden(from: viewer, reader), [.text(user), .text(tweet)])
        originals = ReadOriginals(reader)
    }

    mutating func page(limit: Int, from cursor: Row?) throws -> Page {
        var rows: [Row] = []
        if cursor == nil {
            rows = try before()
            // Without the tweet itself there is nothing to talk of, but its answers are others'.
            if let row = try shown(0, root[0], root[1]) { rows.append(row) }
        }
        var walk = Walk(root, try path(cursor), reader)
        var next: Row?
        while let found = try walk.next() {
            // A page goes on at least one answer further.
            if rows.count >= limit, !walk.before.isEmpty {
                next = walk.before
                break
            }
            if let row = try shown(Int64(found.depth), found.user, found.tweet) { rows.append(row) }
        }
        return Page(columns: Self.columns, rows: try counted(rows), next: next)
    }

    private func path(_ cursor: Row?) throws -> [Row] {
        guard let cursor else { return [] }
        let steps = stride(from: 0, to: cursor.count, by: 3).map { Array(cursor[$0..<min($0 + 3, cursor.count)]) }
        let isPath = steps.allSatisfy {
            $0.count == 3 && $0[0].integer != nil && $0[1].text != nil && $0[2].text != nil
        }
        if steps.isEmpty || steps.count > SocialLimits.depth || !isPath {
            throw Malformed("cursor", "is not one of a page of a thread")
        }
        return steps
    }

    /// What the tweet answers, the first first.
    private mutating func before() throws -> [Row] {
        var rows: [Row] = []
        var seen: Set<Row> = [root]
        var tweet = try originals.row(root[0], root[1])
        for depth in 1...Int64(SocialLimits.depth) {
            guard let user = tweet?.value(Tweet.replyToUser), let name = tweet?.value(Tweet.replyToTweet),
                user != .null, seen.insert([user, name]).inserted
            else { break }
            if let row = try shown(-depth, user, name) { rows.append(row) }
            tweet = try originals.row(user, name)
        }
        return rows.reversed()
    }

    private mutating func shown(_ depth: Int64, _ user: Value, _ name: Value) throws -> Row? {
        guard let tweet = try originals.row(user, name), tweet[Tweet.deletedAt] == nil, tweet[Tweet.owner] == nil,
            let author = user.text, try depth == 0 ? !hidden.isBlocked(author) : !hidden.hides(author)
        else { return nil }
        let quoted = (tweet.value(Tweet.quotedUser), tweet.value(Tweet.quotedTweet))
        var text = Value.null
        if let whose = quoted.0.text, try !hidden.hides(whose), let original = try originals.tweet(quoted.0, quoted.1),
            let author = original[0].text, try !hidden.hides(author)
        {
            text = original[2]
        }
        return [
            .integer(depth), tweet.value(Tweet.postedAt), user, name, tweet.value(Tweet.text),
            tweet.value(Tweet.replyToUser), tweet.value(Tweet.replyToTweet), quoted.0, quoted.1, text,
        ]
    }

    private func counted(_ rows: [Row]) throws -> [Row] {
        let counts = try ReadLikes.counts(of: rows.map { [$0[2], $0[3]] }, reader)
        return rows.map { $0 + (counts[[$0[2], $0[3]]] ?? [0, 0, 0, 0]) }
    }
}

/// Goes through answers in depth, each before what answers it.
private struct Walk {
    struct Found {
        var depth: Int
        var user: Value
        var tweet: Value
    }
    /// Answers to one tweet that have not been gone to.
    private struct Level {
        /// The tweet, and where it stands among the answers to another; nil of the root.
        var place: Row?
        var rest: ArraySlice<Row> = []
        var scan: Scan
        var isOver = false
    }
    private let reader: any ViewReader
    private var levels: [Level]
    /// What is on the way from the root: one that answers itself is not gone through for ever.
    private var way: Set<Row>
    /// The way to what was found before the last.
    private(set) var before: Row = []
    private var last: Row = []

    /// - Parameter path: The way to what was shown last; empty at the beginning.
    init(_ root: Row, _ path: [Row], _ reader: any ViewReader) {
        self.reader = reader
        (levels, way) = ([Level(place: nil, scan: Self.answers(to: root, after: path.first))], [root])
        for (i, step) in path.enumerated() {
            way.insert([step[1], step[2]])
            if i + 1 >= SocialLimits.depth { break }
            let after = i + 1 < path.count ? path[i + 1] : nil
            levels.append(Level(place: step, scan: Self.answers(to: [step[1], step[2]], after: after)))
        }
        last = path.flatMap { $0 }
    }

    private static func answers(to tweet: Row, after: Row?) -> Scan {
        Scan(Timelines.replies, equal: tweet, after: after.map { tweet + $0 }, limit: 32)
    }

    mutating func next() throws -> Found? {
        while var level = levels.popLast() {
            if level.rest.isEmpty, !level.isOver {
                let rows = try reader.rows(level.scan)
                level.isOver = rows.count < level.scan.limit
                if let end = rows.last { level.scan.after = level.scan.order.map { end[$0] } }
                level.rest = rows[...]
            }
            guard let row = level.rest.popFirst() else {
                if let place = level.place { way.remove([place[1], place[2]]) }
                continue
            }
            levels.append(level)
            // A reply's moment, user and name come behind the two of what it answers.
            let (place, tweet) = (Array(row[2...4]), [row[3], row[4]])
            if way.contains(tweet) { continue }
            before = last
            let depth = levels.count
            last = levels.compactMap(\.place).flatMap { $0 } + place
            if depth < SocialLimits.depth {
                way.insert(tweet)
                levels.append(Level(place: place, scan: Self.answers(to: tweet, after: nil)))
            }
            return Found(depth: depth, user: tweet[0], tweet: tweet[1])
        }
        return nil
    }
}
