internal import ArgumentParser
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import MillraceGateway
internal import Tokens

/// Which file has the keys of tokens.
struct TokenKeysOption: ParsableArguments {
    @Option(
        name: .customLong("token-keys"),
        help: ArgumentHelp(
            "The file with the keys of tokens, which say who may do what (also MILLRACE_TOKEN_KEYS).",
            valueName: "file"),
        completion: .file())
    var path: String?

    /// Nil where nobody names one.
    func file(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> KeyFile? {
        (path ?? environment["MILLRACE_TOKEN_KEYS"].flatMap { $0.isEmpty ? nil : $0 }).map { KeyFile($0) }
    }

    func needed() throws -> KeyFile {
        guard let file = file() else {
            throw Failure(
                .usage, "say which file has the keys: --token-keys FILE; \(Program.name) token keys FILE makes one")
        }
        return file
    }
}

extension Scope {
    /// Scopes as they are written, several in one or one by one: each in a domain that there is, or in all.
    static func texts(_ written: [String], _ option: String, in app: Application) throws -> [String] {
        let words = Scope.allCases.map(\.rawValue)
        return try written.flatMap { $0.split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init) }.map {
            text in
            let sides = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2 else {
                throw Failure(.usage, "\(option) \(text) is not DOMAIN:WORD, such as tickets:send or *:query")
            }
            if !words.contains(sides[1]) {
                throw Failure(.usage, "\(option) \(text): \(Nearest.notOne(sides[1], of: words))")
            }
            if sides[0] != "*", !app.domains.contains(where: { $0.name == sides[0] }) {
                throw Unknown.failure(
                    "domain", sides[0], among: app.domains.map(\.name), shownBy: "\(Program.name) events")
            }
            // What waits and who works is of no domain.
            if sides[1] == Scope.operate.rawValue, sides[0] != "*" {
                throw Failure(
                    .usage,
                    "\(option) \(text) would let nobody do anything: operate is for all domains; write *:operate")
            }
            return text
        }
    }
}

/// `millrace token`.
struct TokenCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "token",
            abstract: "Make tokens that say over HTTP who asks and what he may do, and their keys.",
            paragraphs: """
                A scope is DOMAIN:WORD, and *:WORD is in all domains. The words are send, review (send
                what judges others), produce, query, replay, operate, and act-for-others, which lets a
                program send what names somebody else as who acts.

                Examples:
                  \(Program.name) token keys keys.json
                  \(Program.name) token --token-keys keys.json --subject ann --scope '*:query'
                  \(Program.name) serve --http 0.0.0.0:8080 --token-keys keys.json
                """,
            subcommands: [Make.self, Keys.self, Check.self], defaultSubcommand: Make.self)
    }

    struct Make: AppCommand {
        static let configuration = CommandConfiguration(commandName: "make", abstract: "Make a token, and print it.")
        @OptionGroup var keys: TokenKeysOption
        @Option(help: "Who acts with it: a customer, a user, a driver, a program.")
        var subject: String
        @Option(
            name: .customLong("scope"),
            help: ArgumentHelp(
                "What may be done, such as tickets:send or *:query; given again, that too.", valueName: "scope"))
        var scopes: [String] = []
        @Option(help: ArgumentHelp("How long it holds: 15m, 8h, 30d (default: 1h).", valueName: "time"))
        var ttl: String?
        @Option(
            help: ArgumentHelp("The name of the key that signs it (default: the last that can).", valueName: "name"))
        var kid: String?

        func run(in app: Application) throws {
            let file = try keys.needed()
            let set = try file.read()
            var claims = Claims(
                subject: subject, scopes: try Scope.texts(scopes, "--scope", in: app), id: Token.newID(),
                expires: Timestamp(0))
            let time = now()
            claims.expires = time + (try life())
            let key = try key(of: set, file)
            let token: String
            do throws(Malformed) {
                token = try Token.make(claims, with: key, at: time)
            } catch {
                throw Failure(.usage, error.message)
            }
            try Output.standard.line(token)
        }

        private func life() throws -> Duration {
            guard let ttl else { return TokenLimits.usual }
            guard let life = Duration(short: ttl), life >= .seconds(1), life <= TokenLimits.longest else {
                throw Failure(
                    .usage, "--ttl \(ttl) is no time from 1s to \(TokenLimits.longest.short), such as 15m or 30d")
            }
            return life
        }

        private func key(of set: KeySet, _ file: KeyFile) throws -> TokenKey {
            if let kid {
                guard let key = set.key(named: kid) else {
                    throw Unknown.failure("key", kid, among: set.keys.map(\.name), shownBy: nil)
                }
                return key
            }
            guard let key = set.keys.last(where: \.canSign) else {
                throw Failure(.usage, "\(file.path) has public keys alone, which check tokens and make none")
            }
            return key
        }
    }
}
