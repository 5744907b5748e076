internal import EventLog
package import EventModel
internal import HTTPTypes
internal import Handling
internal import Logging
internal import MillraceBus
internal import Passwords

/// Commands that come with a password: it is checked, or kept, here, and goes no further.
extension GatewayEnvironment {
    /// Whether somebody signs in, or up, there: he has no token yet.
    func signsIn(at endpoint: Endpoint) -> Bool {
        guard case .command(let name) = endpoint, let found = try? catalogue.command(name),
            let signIn = found.domain.signIn
        else { return false }
        return [signIn.registering, signIn.opening].contains(found.kind.name)
    }

    /// A command that needs a password is not sent in other ways by whoever could change another's account with his token.
    func checkComesWithoutPassword(_ name: String, of domain: Domain, _ request: GatewayRequest) throws(Problem) {
        guard let why = Self.needsPassword(name, of: domain) else { return }
        if request.access.allows(.actForOthers, in: domain.name) { return }
        throw Problem(.badRequest, why)
    }

    /// What to do with a command that comes with a password; nil of any other.
    static func needsPassword(_ name: String, of domain: Domain) -> String? {
        guard let signIn = domain.signIn, signIn.takesPassword(name) else { return nil }
        return "\(name) comes with its password, by itself: POST /commands/\(name)"
    }

    /// `POST /commands/{command}` where the command comes with a password.
    func signing(_ found: Catalogue.Found, by signIn: SignInRules, _ request: GatewayRequest) async throws -> Reply {
        var parameters = request.parameters
        let wait = try wait(&parameters)
        let after = try parameters.all("after").map { text in try reading("after") { try EventPlace(text) } }
        try parameters.end("/commands/\(found.kind.name)")
        guard let file = settings.credentials else {
            throw Problem(.conflict, "no passwords are kept here")
        }
        let id = try commandID(request.fields[.idempotencyKey])
        let said = try PasswordedCommand(try await request.body.json())
        guard let password = said.password else { throw Malformed("password", "is missing") }
        let signing = Signing(
            found: found, signIn: signIn, file: file, id: id, password: password, wait: wait, after: after,
            request: request, around: self)
        switch found.kind.name {
        case signIn.registering: return try await signing.register(said)
        case signIn.opening: return try await signing.open(said)
        default:
            try request.require(.send, in: found.domain.name)
            return try await signing.change(said)
        }
    }
}

/// One command that comes with a password, on its way.
private struct Signing {
    let found: Catalogue.Found
    let signIn: SignInRules
    let file: CredentialFile
    let id: String
    let password: Password
    let wait: Duration
    let after: [EventPlace]
    let request: GatewayRequest
    let around: GatewayEnvironment

    private var hashing: Hashing { around.settings.hashing }

    /// Whose account it is, where the command is well formed and whoever sends it may.
    private func user(_ said: PasswordedCommand) throws -> String {
        try found.command(json: said.json, id: id, by: request.access.acting(in: found.domain.name)).key.text
    }

    private func decide(_ said: PasswordedCommand) async throws -> Outcome {
        try await around.decide(found, json: said.json, id: id, within: wait, request)
    }

    func register(_ said: PasswordedCommand) async throws -> Reply {
        let user = try user(said)
        return try await keeping(user, signsUp: true) { try await decide(said) }
    }

    func change(_ said: PasswordedCommand) async throws -> Reply {
        let user = try user(said)
        var said = said
        if !request.access.allows(.actForOthers, in: found.domain.name) {
            guard let old = said.oldPassword else { throw Malformed(PasswordedCommand.oldPassword, "is missing") }
            let current = try await checked(old, of: user, Problem(.forbidden, "the old password is wrong"))
            try said.set("proved", to: current)
        }
        let reply = try await keeping(user) { [said] in try await decide(said) }
        return reply
    }

    func open(_ said: PasswordedCommand) async throws -> Reply {
        // It says a credential that is none until the password was checked.
        var draft = said
        try draft.set("credential", to: "unknown")
        let user = try user(draft)
        let authority = around.settings.authority
        if authority.asksForTokens, !authority.makesTokens {
            throw Problem(.conflict, "the keys of this gateway check tokens and make none; sign in at another")
        }
        var wrong = Problem(.unauthorized, "the name or the password is wrong")
        wrong.challenge = Problem.realm
        var said = said
        let current = try await checked(password, of: user, wrong)
        try said.set("credential", to: current)
        let outcome = try await decide(said)
        guard outcome.accepted, let session = try await OpenedSession.read(outcome, of: found.domain, on: around.log)
        else { return around.reply(outcome, id) }
        try await stored { file in try file.forgetOthers(of: user, than: current, at: now()) }
        let scopes = around.settings.sessionScopes ?? Access.scopes(ofSessionsIn: around.domains)
        let token =
            authority.asksForTokens
            ? try authority.token(user, scopes: scopes, id: session.session, until: session.expires) : nil
        var reply = Reply.json(
            JSON.object(
                (outcome.members + [
                    ("session", JSON.string(session.session)), ("token", token.map(JSON.string) ?? "null"),
                    ("expires", JSON.string(session.expires.rfc3339)),
                ]).map { ($0.name, $0.value) }))
        reply.fields[.idempotencyKey] = id
        return reply
    }

    // MARK: Passwords

    /// Takes an attempt, for each of those whom attempts are counted of.
    private func take(_ attempts: [String]) throws(Problem) {
        guard let wait = around.attempts.take(attempts) else { return }
        throw Problem(.tooManyRequests, "too many passwords were wrong; come again later", retryAfter: wait)
    }

    /// Checks a password that holds. An account that is not there takes as long as one that is.
    ///
    /// - Returns: the credential that it is of.
    private func checked(_ password: Password, of user: String, _ wrong: Problem) async throws -> String {
        let attempts = ["of \(user)", "from \(request.whose)"]
        try take(attempts)
        let credential: String?
        let isRight: Bool
        do {
            credential = try await self.credential(of: user)
            let verifier = try await stored { [credential] file in try file.verifier(of: user, credential ?? "") }
            isRight = try await hashing.matches(password, verifier)
        } catch {
            // It was not looked at.
            around.attempts.giveBack(attempts)
            throw busy(error)
        }
        guard isRight, let credential else { throw wrong }
        around.attempts.giveBack(attempts)
        return credential
    }

    /// The credential that holds, as the view has it.
    private func credential(of user: String) async throws -> String? {
        let query = try around.catalogue.query(signIn.credential)
        let call = try QueryCall(
            query, [(name: "user", value: user)], spelled: .names, beside: [], limit: nil, cursor: nil, past: nil,
            in: around.catalogue)
        let wait = try ViewWait(
            for: after.map { ($0.partition, $0.offset) }, of: query.name, call.projection, within: wait)
        let (page, _) = try await wait.page(
            of: call.projection, in: around.views, on: around.log, call.answering(at: now()))
        guard let row = page.rows.first, let held = page.columns.firstIndex(where: { $0.name == "credential" }),
            let left = page.columns.firstIndex(where: { $0.name == "deactivated_at" }), row[left] == .null
        else { return nil }
        return row[held].text
    }

    /// Keeps what checks the new password while its command is decided, and forgets it where that is refused.
    ///
    /// The same command again keeps what is there: it must be the same password then, or it would be another's command.
    private func keeping(
        _ user: String, signsUp: Bool = false, _ send: () async throws -> Outcome
    ) async throws -> Reply {
        try password.checkNew(of: user)
        do {
            let isKept = try await keep(user, signsUp: signsUp)
            let outcome = try await send()
            if !outcome.accepted, isKept { try await stored { [id] file in try file.forget(user, id) } }
            await around.closedSessions.look(after: outcome)
            return around.reply(outcome, id)
        } catch {
            throw busy(error)
        }
    }

    /// - Returns: whether it was kept now, and not before.
    private func keep(_ user: String, signsUp: Bool) async throws -> Bool {
        if let kept = try await kept(of: user) {
            try await checkSame(kept, user)
            return false
        }
        let address = [request.whose]
        // No password is guessed by registering, but each takes as much memory and time as a login.
        if signsUp, let wait = around.signUps.take(address) {
            throw Problem(.tooManyRequests, "too many sign up from this address; come again later", retryAfter: wait)
        }
        let isKept: Bool
        do {
            let verifier = try await hashing.verifier(password)
            isKept = try await stored { [id] file in try file.keep(verifier, of: user, id, at: now()) }
        } catch {
            if signsUp { around.signUps.giveBack(address) }
            throw error
        }
        if isKept { return true }
        // Another request with the same id came between: it says which password it is.
        if signsUp { around.signUps.giveBack(address) }
        if let kept = try await kept(of: user) { try await checkSame(kept, user) }
        return false
    }

    private func kept(of user: String) async throws -> PasswordVerifier? {
        try await stored { [id] file in try file.verifier(of: user, id) }
    }

    /// Whoever has overheard the id of a command could guess its password by sending it again: so that counts as signing in does.
    private func checkSame(_ kept: PasswordVerifier, _ user: String) async throws {
        let attempts = ["of \(user)", "from \(request.whose)"]
        try take(attempts)
        let isSame: Bool
        do {
            isSame = try await hashing.matches(password, kept)
        } catch {
            around.attempts.giveBack(attempts)
            throw error
        }
        if !isSame { throw otherPassword }
        around.attempts.giveBack(attempts)
    }

    /// Asks the store of credentials. What is wrong with it is its operator's business, and nobody's who has not signed in.
    private func stored<R: Sendable>(_ body: @escaping @Sendable (CredentialFile) throws -> R) async throws -> R {
        do {
            return try await hashing.run { [file] in try body(file) }
        } catch let error as BusError {
            around.logger.error("the store of credentials failed", metadata: ["error": "\(error.message)"])
            throw Problem(.unavailable, "passwords cannot be checked now", retryAfter: GatewayLimits.retryAfter)
        }
    }

    private var otherPassword: Problem {
        Problem(
            .conflict, "the id \(id) was used before with another password; give this command an id of its own")
    }

    private func busy(_ error: any Error) -> any Error {
        guard error is Hashing.Busy else { return error }
        return Problem(
            .unavailable, "too many passwords are checked at once; come again later", retryAfter: .seconds(2))
    }
}

extension Access {
    /// What somebody may do who has signed in: everything in domains in which each command says who acts, for there he can act
    /// for himself alone; and where the accounts are, only change his own.
    package static func scopes(ofSessionsIn domains: [Domain]) -> [String] {
        domains.flatMap { domain -> [String] in
            guard let commands = domain.decider?.commands.kinds, commands.allSatisfy({ domain.actor(of: $0) != nil })
            else { return [] }
            return (domain.signIn == nil ? [.send, .query] : [.send]).map { Grant($0, in: domain.name).text }
        }
    }
}
