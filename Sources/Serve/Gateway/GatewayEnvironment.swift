internal import EventLog
internal import EventModel
internal import Logging
internal import MillraceBus
internal import Passwords
internal import Projecting
internal import Snapshots

/// What all requests share.
final class GatewayEnvironment: Sendable {
    let domains: [Domain]
    let catalogue: Catalogue
    let log: any EventLog
    let views: any ViewStore
    let snapshots: SnapshotFolder
    let declared: [String]
    let sender: Sender
    let settings: GatewaySettings
    let logger: Logger
    let rates: Rates
    let tokenRates: Rates
    let streams = Slots(GatewayLimits.streams)
    let streamsOfEach = SlotsOfEach(GatewayLimits.streamsOfOne)
    let pasts = Slots(GatewayLimits.pasts)
    let metrics: GatewayMetrics
    let (openAPIText, asyncAPIText, eventsText) = (Once<String>(), Once<String>(), Once<String>())
    let workers: WorkerSampler
    let topicSampler: TopicSampler
    /// Of wrong passwords, and of registrations.
    let attempts = Attempts()
    let signUps = Attempts(most: GatewayLimits.signUps, oneMoreEvery: GatewayLimits.signUpEvery)
    let closedSessions: ClosedSessions
    /// What pages are made of.
    let files: [PagePath: PageFile]
    /// The domains' own paths, and what those reach.
    let (routes, routed): (RouteTable, RouteCatalogue)
    /// What routes produce beside their answers.
    let beside: RouteQueue
    /// What views say, for routes that answer at once.
    let known: KnownAnswers
    let longQueries = LongQueries()
    let shownOffsets = ShownOffsets()

    init(
        domains: [Domain], log: any EventLog, views: any ViewStore, snapshots: SnapshotFolder, declared: [Topic],
        sender: Sender, settings: GatewaySettings, logger: Logger
    ) throws(BusError) {
        (self.domains, catalogue) = (domains, Catalogue(domains: domains))
        (self.log, self.views, self.snapshots, self.sender) = (log, views, snapshots, sender)
        (self.settings, self.logger, self.declared) = (settings, logger, declared.map(\.name))
        (routes, routed) = (try RouteTable(domains), RouteCatalogue(catalogue))
        known = KnownAnswers(views)
        beside = RouteQueue(log, metrics: settings.registry, logger: logger)
        rates = Rates(rate: settings.rate)
        metrics = GatewayMetrics(in: settings.registry)
        tokenRates = Rates(rate: settings.tokenRate)
        workers = WorkerSampler(Workers.all(of: domains), log: log, views: views)
        closedSessions = ClosedSessions(domains, log: log, views: views, logger: logger)
        (topicSampler, files) = (TopicSampler(log), PageFile.all(domains))
    }

    /// What an error means over HTTP.
    func problem(_ error: any Error, inPath named: Bool = false) -> Problem {
        Problem(error, declared: declared, inPath: named)
    }

    /// Finds what a path names.
    func named<T>(_ find: () throws -> T) throws(Problem) -> T {
        do {
            return try find()
        } catch {
            throw problem(error, inPath: true)
        }
    }

    /// Reads a parameter. What is wrong with it names it.
    func reading<Value>(_ field: String, _ read: () throws -> Value) throws(Problem) -> Value {
        do {
            return try read()
        } catch {
            var problem = problem(error)
            problem.field = problem.field ?? field
            throw problem
        }
    }

    /// How long is waited, as a parameter says it.
    func wait(_ parameters: inout ParameterReader) throws(Problem) -> Duration {
        guard let text = try parameters.one("wait") else { return GatewayLimits.wait }
        guard let wait = Duration(short: text) else {
            throw Problem(.badRequest, "wait \(text) is no time such as 10s or 500ms", field: "wait")
        }
        if wait > GatewayLimits.longestWait {
            throw Problem(
                .badRequest, "wait is \(text), at most \(GatewayLimits.longestWait.short) is waited", field: "wait")
        }
        return wait
    }

    /// Whether bad lines are passed over, as a parameter says it.
    func skipsBadLines(_ parameters: inout ParameterReader) throws(Problem) -> Bool {
        switch try parameters.one("on-error") {
        case nil, "stop": return false
        case "skip": return true
        case let text?:
            throw Problem(.badRequest, "on-error: \(Nearest.notOne(text, of: ["stop", "skip"]))", field: "on-error")
        }
    }
}
