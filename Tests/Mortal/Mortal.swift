import EventLog
import EventModel
import Foundation
import Handling
import LocalLog
import Logging
import Projecting
import Quarantining
import SQLiteViews
import ServiceLifecycle
import UnixSignals

@testable import HitsDomain
@testable import TicketsDomain

/// A worker that dies of some records, as code does that has a mistake: the tests start it again as a supervisor would.
///
/// `Mortal handler|reactor|projector FOLDER`: works on the log and the views of the folder until it is told to stop.
@main
enum Mortal {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let (kind, folder) = (arguments[1], arguments[2])
        let log = try await LocalLog.open(directory: folder + "/log")
        let views = try SQLiteViews(directory: folder + "/log/views")
        var logger = Logger(label: "mortal") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let clock: @Sendable () -> Timestamp = { Timestamp(Int64(Date().timeIntervalSince1970 * 1000)) }
        let quarantine = QuarantineLog(log, clock: clock)
        let service: any Service
        switch kind {
        case "handler":
            var handler = Handler(MortalTickets.domain, log: log, clock: clock, logger: logger)!
            handler.checkpoints = ViewCheckpoints(views)
            (handler.quarantine, handler.crashRecords) = (quarantine, ViewCrashRecords(views))
            service = handler
        case "reactor":
            var reactor = Reactor(
                AnyReaction(MortalSections.self, domain: "tickets"), log: log, logger: logger)
            (reactor.quarantine, reactor.crashRecords) = (quarantine, ViewCrashRecords(views))
            service = reactor
        default:
            var projector = Projector(
                AnyProjection(MortalWindows.self, domain: "hits"), log: log, views: views, logger: logger)
            (projector.quarantine, projector.crashRecords) = (quarantine, ViewCrashRecords(views))
            service = projector
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service)], gracefulShutdownSignals: [.sigterm], logger: logger))
        try await group.run()
        await log.close()
        await views.close()
    }
}

/// What is died of.
private let deadly = "deadly"

/// At once, with all that is in memory.
private func die() -> Never {
    kill(getpid(), SIGKILL)
    fatalError("a process outlived SIGKILL")
}

/// Tickets, but for a holder who is deadly.
enum MortalTickets: Decider {
    typealias Command = TicketsCommand
    typealias Event = TicketsEvent
    typealias State = Tickets.State
    typealias Rejection = TicketsRefusal

    static let domain = Domain("tickets", "Mortal.", descriptor: ticketsDescriptor)
        .deciding(Self.self, key: "event, or event:section")

    static var initial: State { Tickets.initial }
    static func key(of command: Command.Kind) -> String { Tickets.key(of: command) }
    static func key(of event: Event.Kind) -> String { Tickets.key(of: event) }
    static func check(_ command: Command.Kind) throws(Malformed) { try Tickets.check(command) }
    static func check(_ event: Event.Kind) throws(Malformed) { try Tickets.check(event) }
    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        if case .holdSeats(let hold) = command, hold.holder == deadly { die() }
        return try Tickets.decide(command, id: id, on: state, at: now)
    }
    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection) {
        try Tickets.admit(event, on: state, at: now)
    }
    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp) {
        Tickets.evolve(&state, with: event, at: time)
    }
    static func nextDue(_ state: State) -> Timestamp? { Tickets.nextDue(state) }
    static func due(_ state: State, by now: Timestamp) -> [DueCommand<Command.Kind>] { Tickets.due(state, by: now) }
}

/// Sections are opened, but for an event whose title is deadly.
enum MortalSections: Reaction {
    typealias Event = TicketsEvent
    static let name = OpenSections.name
    static let topic = OpenSections.topic
    static func react(to event: Event.Kind, at place: EventPosition) -> [Emission] {
        if case .eventListed(let listed) = event, listed.title == deadly { die() }
        return OpenSections.react(to: event, at: place)
    }
}

/// Hits are counted, but for a visitor who is deadly.
struct MortalWindows: Projection {
    typealias Event = HitWindows.Event
    static let name = HitWindows.name
    static let version = HitWindows.version
    static let about = HitWindows.about
    static let topics = HitWindows.topics
    static let tables = HitWindows.tables
    private var windows = HitWindows()

    mutating func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        if case .hit(let hit) = event, hit.visitor == deadly { die() }
        try windows.apply(event, at: place, to: view)
    }
    mutating func finish(_ view: ViewBatch) { windows.finish(view) }
}
