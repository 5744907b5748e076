internal import EventLog
internal import EventModel
internal import Handling
internal import Logging
internal import MillraceBus
internal import Projecting
internal import ServiceLifecycle
internal import Synchronization

/// Sessions that were closed before their tokens run out, as the views of domains with accounts have them: those tokens are
/// not taken any more.
///
/// They are looked at every second. A session that is closed here is known at once; one that is closed elsewhere a second after
/// the view has it. Where the views do not answer, what is known stays.
final class ClosedSessions: Service, CustomStringConvertible {
    private struct Source: Sendable {
        var query: Query
        var projection: AnyProjection
    }
    /// Users choose the names of their sessions, and so may choose the same.
    private struct Session: Hashable {
        var user: String
        var name: String
    }
    private struct State {
        /// By the query that told them.
        var closed: [String: Set<Session>] = [:]
        var seen: [String: [TopicPartition: Offset]] = [:]
    }
    private let sources: [Source]
    private let log: any EventLog
    private let views: any ViewStore
    private let logger: Logger
    private let state = Mutex(State())
    var description: String { "closed sessions" }

    init(_ domains: [Domain], log: any EventLog, views: any ViewStore, logger: Logger) {
        (self.log, self.views, self.logger) = (log, views, logger)
        sources = domains.compactMap { domain in
            guard let signIn = domain.signIn, let query = domain.queries.first(where: { $0.name == signIn.closed }),
                let projection = domain.projections.first(where: { $0.name == query.projection })
            else { return nil }
            return Source(query: query, projection: projection)
        }
    }

    /// - Throws: ``Problem`` where the token is of a session that has ended.
    func check(_ access: Access) throws(Problem) {
        guard let user = access.subject, let name = access.token else { return }
        let session = Session(user: user, name: name)
        if !state.withLock({ $0.closed.values.contains { $0.contains(session) } }) { return }
        throw Problem(refused: "the session has ended; sign in again")
    }

    /// Looks before anybody is let in. Views that nobody has folded yet have none.
    func begin() async { await lookOrSay() }

    /// Looks once the view has what a command did, or a while later where no projector works.
    func look(after outcome: Outcome) async {
        let places = outcome.places
        if places.isEmpty { return }
        for source in sources {
            let wanted = places.filter { source.projection.topics.contains($0.key.topic) }
            if wanted.isEmpty { continue }
            let wait = try? ViewWait(
                for: wanted.map { ($0.key, $0.value) }, of: source.query.name, source.projection,
                within: GatewayLimits.sessionWait)
            if let live = try? await views.live(source.projection) {
                try? await wait?.wait(for: live, in: views, asksAtOnce: false) {}
            }
        }
        await lookOrSay()
    }

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            try? await cancelWhenGracefulShutdown {
                try await Task.sleep(for: Beat.within(GatewayLimits.sessionPause))
            }
            await lookOrSay()
        }
    }

    private func lookOrSay() async {
        do {
            try await look()
        } catch is CancellationError {
            // Whoever ends the process has said why.
        } catch {
            logger.warning("closed sessions are not heard of; trying again", metadata: ["error": "\(error)"])
        }
    }

    private func look() async throws {
        for source in sources {
            let name = source.query.name
            let (query, now, seen) = (source.query, now(), state.withLock { $0.seen[name] })
            let found = try await views.read(liveOf: source.projection) { reader, asOf -> Found? in
                // Nothing has happened: those that are closed still are.
                seen == asOf ? nil : Found(closed: try Self.closed(query, at: now, reader), asOf: asOf)
            }
            guard let found else { continue }
            state.withLock { ($0.closed[name], $0.seen[name]) = (found.closed, found.asOf) }
            if found.closed.count >= GatewayLimits.closedSessions {
                logger.error(
                    "over \(GatewayLimits.closedSessions) sessions are closed before their time; some are let in still")
            }
        }
    }

    private struct Found: Sendable {
        var closed: Set<Session>
        var asOf: [TopicPartition: Offset]
    }

    private static func closed(_ query: Query, at now: Timestamp, _ reader: any ViewReader) throws -> Set<Session> {
        var (closed, cursor): (Set<Session>, Row?) = ([], nil)
        repeat {
            let page = try query.answer(
                Arguments([:], now: now, limit: Limits.pageRows, cursor: cursor), reader)
            guard let whose = page.columns.firstIndex(where: { $0.name == "user" }),
                let named = page.columns.firstIndex(where: { $0.name == "session" })
            else { return closed }
            for row in page.rows {
                guard let user = row[whose].text, let name = row[named].text else { continue }
                closed.insert(Session(user: user, name: name))
            }
            cursor = page.next
        } while cursor != nil && closed.count < GatewayLimits.closedSessions
        return closed
    }
}
