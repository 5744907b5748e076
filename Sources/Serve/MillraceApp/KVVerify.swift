internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import RESP
internal import Tokens

extension KVCommand {
    /// `millrace kv verify`.
    struct VerifyKeys: AppCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "verify",
                abstract: "Hold the keys of the view, of kv.state and of servers against the log.",
                paragraphs: """
                    The keys of each partition are folded anew from kv.events, up to the place at
                    which what is examined stands. Of both, 256 ranges of keys by their hash have
                    checksums; where these differ the ranges and keys are told. It works while
                    workers and servers run.

                    view: the rows of kv.keys. state: kv.state and the events since, with which a
                    server begins. server: what a process of kv serve has in memory; it says which
                    ranges differ. Without --only, view and state, and the servers that are named.

                    --repair writes what differs as it should be: rows in the place of the
                    projector, states in the place of kv.newest, which must not run meanwhile;
                    a server puts right its own memory.

                    Examples:
                      \(Program.name) kv verify
                      \(Program.name) kv verify --only view --repair
                      \(Program.name) kv verify --server 127.0.0.1:6379

                    A server that asks for a token takes one with the scope kv:query.

                    Exits with 65 where something differs and was not put right, and with 0 where
                    nothing differs, or all that did was. What cannot be checked, because the log
                    has not all of its events any more or a record waits in the quarantine, is
                    said on standard error and is no error.
                    """)
        }

        @Option(
            name: .customLong("only"),
            help: ArgumentHelp("view or state; may be repeated (default: both).", valueName: "place"),
            completion: .list(["view", "state"]))
        var only: [String] = []
        @Option(
            name: .customLong("server"),
            help: ArgumentHelp("A server of kv serve; may be repeated.", valueName: "host:port"), completion: .names)
        var servers: [String] = []
        @Option(
            name: .customLong("token-file"),
            help: ArgumentHelp(
                "The file whose first line is the token that servers ask for; - is standard input (also MILLRACE_TOKEN, the token itself).",
                valueName: "file"), completion: .file())
        var tokenFile: String?
        @Flag(help: "Write what differs as it should be.")
        var repair = false
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func validate() throws {
            if let wrong = only.first(where: { $0 != "view" && $0 != "state" }) {
                throw ValidationError("--only is view or state, not \(wrong)")
            }
        }

        func run(in app: Application) async throws {
            guard let domain = app.domains.first(where: { $0.name == "kv" }) else {
                throw Failure(.usage, "\(Program.name) has no domain kv")
            }
            let token = try token()
            let chosen = Set(only.isEmpty ? ["view", "state"] : only)
            var findings: [KeyFinding] = []
            try await places.withLog(app) { log in
                let verification = try await KeyVerification(domain, on: log)
                if chosen.contains("view") {
                    try await places.withViews { views in
                        findings += try await verification.view(in: views, repairing: repair)
                    }
                }
                if chosen.contains("state") { findings += try await verification.states(repairing: repair) }
                for server in servers {
                    do {
                        findings += try await verification.server(at: server, token: token, repairing: repair)
                    } catch let error as UnverifiedServer {
                        throw Failure(.unavailable, error.why)
                    }
                }
            }
            try show(findings)
            for finding in findings {
                if let why = finding.unchecked {
                    Output.complain("\(Program.name): not checked: \(finding.what): \(why)")
                }
                if finding.repaired > 0, !finding.isWrong {
                    Output.complain("\(Program.name): put right: \(finding.words)")
                }
            }
            let problems = findings.filter(\.isWrong).map(\.words)
            if let first = problems.first {
                throw Failure(.data, problems.count == 1 ? first : "\(first) (and \(problems.count - 1) more)")
            }
        }

        private func token() throws -> String? {
            if servers.isEmpty {
                if tokenFile != nil { throw Failure(.usage, "--token-file is for servers; name one with --server") }
                return nil
            }
            if let tokenFile { return try SecretLine.read(tokenFile, "token", atMost: TokenLimits.tokenBytes) }
            let said = ProcessInfo.processInfo.environment["MILLRACE_TOKEN"] ?? ""
            return said.isEmpty ? nil : said
        }

        private static let columns = [
            "check", "what", "count", "hash", "ranges", "differences", "repaired", "problem", "unchecked",
        ]

        private func show(_ findings: [KeyFinding]) throws {
            let lines = findings.map { finding -> Members in
                [
                    ("check", JSON.string(finding.place.rawValue)), ("what", JSON.string(finding.what)),
                    ("count", String(finding.keys)), ("hash", JSON.string(Self.hex(finding.root))),
                    ("ranges", JSON.array(finding.ranges.map { String($0) })),
                    ("differences", String(finding.differences.count)), ("repaired", String(finding.repaired)),
                    ("problem", finding.ranges.isEmpty ? "null" : JSON.string(finding.words)),
                    ("unchecked", finding.unchecked.map(JSON.string) ?? "null"),
                ]
            }
            try shape.show(lines, columns: Self.columns) {
                TextTable(
                    header: ["check", "of", "keys", "ranges", "differences", "repaired", "hash", "is"],
                    rows: findings.map { finding in
                        [
                            finding.place.rawValue, finding.what, String(finding.keys), String(finding.ranges.count),
                            String(finding.differences.count), String(finding.repaired), Self.hex(finding.root),
                            finding.state,
                        ]
                    }, right: [2, 3, 4, 5], coloured: [7])
            }
        }

        private static func hex(_ hash: UInt64) -> String {
            let digits = String(hash, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
    }
}

extension KeyFinding {
    fileprivate var state: String {
        if unchecked != nil { return "not checked" }
        return ranges.isEmpty ? "ok" : isWrong ? "WRONG" : "repaired"
    }
}
