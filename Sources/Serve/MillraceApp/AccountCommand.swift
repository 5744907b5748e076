internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus
internal import MillraceGateway
internal import Passwords
internal import Projecting
internal import Tokens

/// `millrace account`.
struct AccountCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "account",
            abstract: "Register users, set their passwords, and sign in.",
            paragraphs: """
                What comes with a password. It is read from a file, from standard input, or from
                the terminal, which does not show it; it is never an argument. What checks it is
                kept in a file of its own, and nothing of it is sent. All else of an account is
                said with send.

                Examples:
                  \(Program.name) account register --user ann --password-file ann.txt
                  \(Program.name) account sign-in --user ann --token-keys keys.json
                """,
            subcommands: [Register.self, ChangePassword.self, SignInCommand.self])
    }

    /// What each of them is told.
    struct Common: ParsableArguments {
        @Option(help: "The user's name: letters of ASCII, digits and _.")
        var user: String
        @Option(help: ArgumentHelp("The command's id (default: a new UUID).", valueName: "uuid"))
        var id: String?
        @OptionGroup var password: PasswordInput
        @OptionGroup var credentials: CredentialsOption
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions
    }

    struct Register: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "register", abstract: "Take a name, with its first password.")
        @OptionGroup var common: Common

        func run(in app: Application) async throws {
            try await Account(common, app).set { $0.registering }
        }
    }

    struct ChangePassword: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "password", abstract: "Set another password, and end the sessions of before.")
        @OptionGroup var common: Common

        func run(in app: Application) async throws {
            try await Account(common, app).set { $0.changingPassword }
        }
    }

    struct SignInCommand: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign-in", abstract: "Open a session, and print its token where there are keys.")
        @OptionGroup var common: Common
        @OptionGroup var keys: TokenKeysOption
        @Option(
            name: .customLong("session-scope"),
            help: ArgumentHelp(
                "What the session may do, such as social:send; given again, that too.", valueName: "scope"))
        var scopes: [String] = []

        func run(in app: Application) async throws {
            let scopes = try scopes.isEmpty ? nil : Scope.texts(scopes, "--session-scope", in: app)
            try await Account(common, app).signIn(keys.file()?.read(), scopes: scopes)
        }
    }
}

/// A command that comes with a password, sent from here.
private struct Account {
    let common: AccountCommand.Common
    let app: Application
    let domain: Domain
    let signIn: SignInRules
    let file: CredentialFile
    let id: String
    private let hashing = Hashing()

    init(_ common: AccountCommand.Common, _ app: Application) throws {
        guard let domain = app.domains.first(where: { $0.signIn != nil }), let signIn = domain.signIn else {
            throw Failure(.usage, "\(Program.name) has no domain with accounts")
        }
        (self.common, self.app, self.domain, self.signIn) = (common, app, domain, signIn)
        (file, id) = (try common.credentials.file(common.places), common.id ?? UUID().uuidString.lowercased())
        if !CommandLines.isID(id) { throw Failure(.usage, "--id \(CommandLines.rule)") }
    }

    private func encoded(_ name: String, _ fields: [(String, String)]) throws -> EncodedCommand {
        guard let actor = domain.decider?.commands.kind(named: name).flatMap({ domain.actor(of: $0) }) else {
            throw Failure(.software, "\(domain.name) has no \(name) that names who acts")
        }
        let json = JSON.object([(actor.name, JSON.string(common.user))] + fields.map { ($0.0, JSON.string($0.1)) })
        return try app.catalogue.command("\(domain.name).\(name)").command(json: json, id: id)
    }

    private func send(_ command: EncodedCommand, on log: any EventLog) async throws -> Outcome {
        try await CommandClient.with(log, domains: [domain], clock: { now() }) { client in
            try await client.send([command], to: domain, within: .seconds(10))[0]
        }
    }

    /// Keeps what checks a new password while its command is decided, and forgets it where that is refused.
    func set(_ command: (SignInRules) -> String) async throws {
        let command = try encoded(command(signIn), [])
        let user = command.key.text
        let password = try common.password.read(twice: true)
        do throws(Malformed) {
            try password.checkNew(of: user)
        } catch {
            throw Failure(.data, error.message)
        }
        let isKept = try file.keep(try await hashing.verifier(password), of: user, id, at: now())
        if !isKept, try await !hashing.matches(password, file.verifier(of: user, id)) {
            throw Failure(.usage, "--id \(id) was used before with another password")
        }
        let outcome = try await common.places.withLog(app) { try await send(command, on: $0) }
        if !outcome.accepted, isKept { try file.forget(user, id) }
        try show(outcome, [])
    }

    func signIn(_ keys: KeySet?, scopes: [String]?) async throws {
        let user = try encoded(signIn.opening, [("credential", "unknown")]).key.text
        let key = keys?.keys.last(where: \.canSign)
        if keys != nil, key == nil { throw Failure(.usage, "the keys check tokens and make none") }
        let password = try common.password.read(twice: false)
        try await common.places.withLog(app) { log in
            let credential: String? = try await common.places.withViews { views in
                try await self.credential(of: user, in: views)
            }
            let verifier = try credential.flatMap { try file.verifier(of: user, $0) }
            guard try await hashing.matches(password, verifier), let credential else {
                throw Failure(.noPermission, "the name or the password is wrong")
            }
            let outcome = try await send(encoded(signIn.opening, [("credential", credential)]), on: log)
            let session = outcome.accepted ? try await OpenedSession.read(outcome, of: domain, on: log) : nil
            var members: Members = []
            if let session {
                members += [
                    ("session", JSON.string(session.session)), ("expires", JSON.string(session.expires.rfc3339)),
                ]
                if let key {
                    let scopes = scopes ?? Access.scopes(ofSessionsIn: app.domains)
                    let claims = Claims(
                        subject: user, scopes: scopes, id: session.session, expires: session.expires)
                    members.append(("token", JSON.string(try Token.make(claims, with: key, at: now()))))
                }
            }
            try show(outcome, members)
        }
    }

    /// The credential that holds, as the view has it.
    private func credential(of user: String, in views: any ViewStore) async throws -> String? {
        let query = try app.catalogue.query(signIn.credential)
        let call = try QueryCall(
            query, [(name: "user", value: user)], spelled: .names, beside: [], limit: nil, cursor: nil, past: nil,
            in: app.catalogue)
        let live = try await views.live(call.projection)
        let answering = call.answering(at: now())
        let page = try await views.read(live) { reader, _ in try answering(reader) }
        guard let row = page.rows.first, let held = page.columns.firstIndex(where: { $0.name == "credential" }),
            let left = page.columns.firstIndex(where: { $0.name == "deactivated_at" }), row[left] == .null
        else { return nil }
        return row[held].text
    }

    private func show(_ outcome: Outcome, _ members: Members) throws {
        if common.shape.asTable {
            let word = outcome.accepted ? Palette.good("accepted") : Palette.bad("refused")
            let rest = outcome.accepted ? outcome.id : "\(outcome.reason): \(outcome.message)"
            try Output.standard.line("\(word)  \(Shown.text(rest))")
            for event in outcome.events { try Output.standard.shown("  \(event.type)  \(event.place)@\(event.offset)") }
            for member in members { try Output.standard.line("  \(member.name)  \(member.value)") }
        } else if common.shape.csv {
            let all = outcome.members + members
            let columns = all.map(\.name)
            try Output.standard.write(CSVLine.header(columns) + CSVLine.text(all, columns))
        } else {
            try Output.standard.line(JSON.object((outcome.members + members).map { ($0.name, $0.value) }))
        }
        if !outcome.accepted { throw Failure(.refused, "") }
    }
}
