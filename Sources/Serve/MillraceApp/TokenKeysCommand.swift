internal import ArgumentParser
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Tokens

extension TokenCommand {
    /// `millrace token keys`.
    struct Keys: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "keys",
            abstract: "Make a file with a key, add one to it, or print the public keys of one.",
            discussion: """
                The file is a JSON Web Key Set (RFC 7517) that its owner alone may read. What only checks tokens needs no \
                more than the public keys, those of --public.
                """)
        @Argument(help: "The file.", completion: .file())
        var file: String
        @Option(help: ArgumentHelp("EdDSA, or HS256, whose key is a secret of all who check.", valueName: "name"))
        var algorithm = TokenAlgorithm.edDSA.rawValue
        @Option(help: ArgumentHelp("The key's name (default: the day).", valueName: "name"))
        var kid: String?
        @Flag(help: "Add a key to a file that is there: new tokens are of it, and those of the others still hold.")
        var add = false
        @Flag(name: .customLong("public"), help: "Print what checks tokens and makes none, and change nothing.")
        var isPublic = false

        func validate() throws {
            if isPublic, add || kid != nil {
                throw ValidationError("--public makes nothing: leave out --add and --kid")
            }
        }

        func run(in app: Application) throws {
            let place = KeyFile(file)
            if isPublic {
                guard let open = try refusing({ try place.read().opened() }) else {
                    throw Failure(
                        .usage, "\(file) has secret keys alone (HS256): whoever checks with one can make tokens")
                }
                return try Output.standard.write(open.text)
            }
            guard let algorithm = TokenAlgorithm(rawValue: algorithm) else {
                let all = TokenAlgorithm.allCases.map(\.rawValue)
                throw Failure(.usage, "--algorithm: \(Nearest.notOne(algorithm, of: all))")
            }
            let name = kid ?? String(now().rfc3339.prefix(10))
            if !add, FileManager.default.fileExists(atPath: file) {
                throw Failure(.cantCreate, "\(file) is there already; --add adds a key to it")
            }
            let keys = add ? try place.read() : nil
            let made = try refusing { try keys?.adding(name, algorithm) ?? KeySet.made(name, algorithm) }
            do throws(KeyRefusal) {
                try place.write(made, replacing: add)
            } catch {
                throw Failure(.cantCreate, error.why)
            }
            Output.complain("\(Program.name): \(file) has a new key \(name) of \(algorithm.rawValue)")
        }

        private func refusing<R>(_ body: () throws -> R) throws -> R {
            do {
                return try body()
            } catch let error as KeyRefusal {
                throw Failure(.usage, "\(file): \(error.why)")
            }
        }
    }

    /// `millrace token check`.
    struct Check: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Read a token from standard input, and say what it says or why it is not taken.",
            discussion: "It exits with 1 where it is not taken. A token on the command line would be seen by others.")
        @OptionGroup var keys: TokenKeysOption

        func run(in app: Application) throws {
            let set = try keys.needed().read()
            // A byte more than it may have is read, so that it is told.
            let read = try FileHandle.standardInput.read(upToCount: TokenLimits.tokenBytes + 2) ?? Data()
            let text = String(decoding: read, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            let claims: Claims
            do throws(TokenRefusal) {
                claims = try set.claims(of: text, at: now())
            } catch {
                throw Failure(.refused, error.why)
            }
            try Output.standard.line(
                JSON.object([
                    ("subject", JSON.string(claims.subject)), ("scopes", JSON.array(claims.scopes.map(JSON.string))),
                    ("id", claims.id.map(JSON.string) ?? "null"), ("expires", JSON.string(claims.expires.rfc3339)),
                ]))
        }
    }
}
