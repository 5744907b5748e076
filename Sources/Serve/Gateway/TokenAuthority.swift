package import EventModel
package import MillraceBus
internal import Synchronization
package import Tokens

/// Lets in whoever has a token that one of a file's keys has signed.
package final class TokenAuthority: Authority {
    private struct State {
        var keys: KeySet
        /// Which reading of the file they are of.
        var reading = 0
        /// Tokens whose signature was checked already: that of Ed25519 costs more than many a query.
        var known: [String: Claims] = [:]
    }
    private let file: KeyFile
    private let clock: @Sendable () -> Timestamp
    private let state: Mutex<State>

    package var asksForTokens: Bool { true }

    /// - Throws: ``BusError`` where the file cannot be taken.
    package convenience init(_ file: KeyFile) throws(BusError) { try self.init(file, clock: { now() }) }

    init(_ file: KeyFile, clock: @escaping @Sendable () -> Timestamp) throws(BusError) {
        (self.file, self.clock) = (file, clock)
        state = Mutex(State(keys: try file.read()))
    }

    /// Reads the keys again. Tokens of keys that have gone, and those that are denied, are refused from now on.
    package func reload() throws {
        let keys = try file.read()
        state.withLock { $0 = State(keys: keys, reading: $0.reading + 1) }
    }

    package func access(token: String?) throws(Problem) -> Access {
        guard let token else { throw Problem.unnamed }
        let now = clock()
        let (known, keys, reading) = state.withLock { ($0.known[token], $0.keys, $0.reading) }
        if let known, known.holds(at: now) { return Access(known) }
        let claims: Claims
        do throws(TokenRefusal) {
            claims = try keys.claims(of: token, at: now)
        } catch {
            throw Problem(refused: error.why)
        }
        state.withLock { state in
            // Keys that came meanwhile may say otherwise.
            if state.reading != reading { return }
            if state.known.count >= GatewayLimits.knownTokens { state.known = [:] }
            state.known[token] = claims
        }
        return Access(claims)
    }
}

extension TokenAuthority {
    package var makesTokens: Bool { state.withLock { $0.keys.keys.contains(where: \.canSign) } }

    package func token(_ subject: String, scopes: [String], id: String, until expires: Timestamp) throws -> String {
        guard let key = state.withLock({ $0.keys.keys.last(where: \.canSign) }) else {
            throw Problem(.conflict, "the keys of this gateway check tokens and make none")
        }
        return try Token.make(
            Claims(subject: subject, scopes: scopes, id: id, expires: expires), with: key, at: clock())
    }
}

extension Access {
    fileprivate init(_ claims: Claims) {
        self.init(
            subject: claims.subject, grants: Set(claims.scopes.compactMap { Grant($0) }), expires: claims.expires,
            token: claims.id)
    }
}
