internal import EventModel

extension Importer {
    static let tweets = Importer(
        "tweets", "Import tweets, one JSON object a line, as commands with their own times.",
        discussion: """
            Needed: id, time (or t), user (or screen_name, or s) and text. A retweet has
            retweet_of (or rt), the original's id, and owner; without that the owner is
            the first whom the text names. Objects of Twitter's API, version 1.1 or 2, are
            taken as they are. The handlers decide: a tweet that was deleted
            or passed on before is refused, as ever, and counted in the summary. What
            nobody decides within --wait is decided later.

            Example: millrace import tweets tweets.ndjson.gz
            """,
        into: "social.commands"
    ) { source throws(Malformed) in
        ImportReader { line in
            let command = try TweetLine.command(line)
            let now = source.now()
            return Imported(records: [command.record(now: now)], time: command.time ?? now)
        }
    }

    private static let mutual = FlagParameter("mutual", "each edge says that both follow each other")
    private static let skipHeader = FlagParameter("skipHeader", "the first line names the columns")

    static let follows = Importer(
        "follows", "Import a follow graph, one edge a line: FOLLOWER FOLLOWEE.",
        discussion: """
            Fields are separated by spaces, a tab or a comma, and may stand in quotes; lines
            that begin with # or % are remarks. An edge has no time: the follow happens when
            the log takes it.

            Example: millrace import follows edges.csv.gz --skip-header --mutual
            """,
        into: "social.commands",
        [mutual, skipHeader]
    ) { source throws(Malformed) in
        let mutual = source.arguments[mutual]
        return ImportReader(
            scope: mutual ? "mutual" : "", header: source.arguments[skipHeader] ? { _ in } : nil
        ) { line in
            let now = source.now()
            let commands = try FollowEdge.commands(line, mutual: mutual)
            return commands.isEmpty ? nil : Imported(records: commands.map { $0.record(now: now) }, time: now)
        }
    }
}
