internal import ArgumentParser
internal import Domains
internal import EventModel
internal import Foundation

/// `millrace import tweets`.
struct ImportTweets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tweets",
        abstract: "Import tweets, one JSON object a line, as commands with their own times.",
        discussion: """
            Needed: id, time (or t), user (or screen_name, or s) and text. A retweet has
            retweet_of (or rt), the original's id, and owner; without that the owner is
            the first whom the text names. Objects of Twitter's API, version 1.1 or 2, are
            taken as they are. The handlers decide: a tweet that was deleted
            or passed on before is refused, as ever, and counted in the summary. What
            nobody decides within --wait is decided later.

            Example: millrace import tweets tweets.ndjson.gz
            """)
    @OptionGroup var options: ImportOptions
    @OptionGroup var outcomes: OutcomeOptions

    func run() async throws {
        try await options.run(
            FileImport(
                importer: "tweets", scope: "", file: options.file, onError: options.onError,
                topic: Domain.social.commandsTopic, deciding: (Domain.social, try outcomes.limit())
            ) { line in
                let command = try TweetLine.command(line)
                return .init(records: [command.record(now: now())], time: command.time ?? now())
            })
    }
}

/// `millrace import follows`.
struct ImportFollows: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follows",
        abstract: "Import a follow graph, one edge a line: FOLLOWER FOLLOWEE.",
        discussion: """
            Fields are separated by spaces, a tab or a comma, and may stand in quotes; lines
            that begin with # or % are remarks. An edge has no time: the follow happens when the log takes it.

            Example: millrace import follows edges.csv.gz --skip-header --mutual
            """)
    @OptionGroup var options: ImportOptions
    @OptionGroup var outcomes: OutcomeOptions
    @Flag(help: "Each edge says that both follow each other.")
    var mutual = false
    @Flag(help: "The first line names the columns.")
    var skipHeader = false

    func run() async throws {
        let mutual = mutual
        try await options.run(
            FileImport(
                importer: "follows", scope: mutual ? "mutual" : "", file: options.file, onError: options.onError,
                topic: Domain.social.commandsTopic, deciding: (Domain.social, try outcomes.limit()),
                header: skipHeader ? { _ in } : nil
            ) { line in
                let time = now()
                let commands = try FollowEdge.commands(line, mutual: mutual)
                return commands.isEmpty ? nil : .init(records: commands.map { $0.record(now: time) }, time: time)
            })
    }
}
