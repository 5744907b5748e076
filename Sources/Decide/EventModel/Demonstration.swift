/// What a domain shows of itself: who uses it and how, and what comes of that.
///
/// `millrace demo` plays it, simulations and fault campaigns draw their load from it. A request at random (``request``)
/// is the least that it takes: it knows nothing of what was asked before, so any of them can be left out or come twice,
/// which simulations need. People remember what they did and go on from there: those are ``actors``.
public struct Demonstration: Sendable {
    /// The request that a draw gives. It depends on nothing but the draw.
    public typealias Request = @Sendable (_ draw: inout LoadDraw) -> LoadRequest

    /// Makes the request that a draw gives, for simulations, fault campaigns and actors that ask at random.
    public let request: Request
    /// Who sets up what must be there before the actors come; nil where nothing must.
    public let setup: @Sendable (_ size: Int, _ seed: UInt64) -> (any LoadActor)?
    /// Who uses it at once.
    public let actors: @Sendable (_ size: Int, _ seed: UInt64) -> [any LoadActor]
    /// What comes of it, in the order in which it is shown.
    public let exhibits: [Exhibit]
    /// Which records are read again at the end.
    public let records: ShownRecords?
    /// Commands of the command line for who wants to go on, without the program's name: `query likes.count --post p1`.
    /// They are run on what the demonstration left, with workers, and their answers are not empty.
    public let tries: [String]

    /// - Parameters:
    ///   - request: The request that a draw gives.
    ///   - setup: Given the size and the seed, as `actors` is.
    ///   - actors: So many as the size says, or in proportion; the same size and seed give the same. Left out, as many as
    ///     the size ask at random.
    ///   - exhibits: What comes of it, in the order in which it is shown.
    ///   - records: Which records are read again at the end.
    ///   - tries: Commands for who wants to go on, without the program's name.
    public init(
        asking request: @escaping Request,
        setup: @escaping @Sendable (_ size: Int, _ seed: UInt64) -> (any LoadActor)? = { _, _ in nil },
        actors: (@Sendable (_ size: Int, _ seed: UInt64) -> [any LoadActor])? = nil,
        showing exhibits: [Exhibit], replaying records: ShownRecords? = nil, trying tries: [String] = []
    ) {
        self.request = request
        self.setup = setup
        self.actors =
            actors ?? { size, seed in
                (0..<size).map { RandomActor($0, of: size, KeySpace(size: size), seed: seed, request) }
            }
        self.exhibits = exhibits
        self.records = records
        self.tries = tries
    }

    /// The request of that number, from a seed.
    public func request(_ number: Int, in keys: KeySpace, seed: UInt64, at now: Timestamp) -> LoadRequest {
        var draw = LoadDraw(number, in: keys, at: now, SeededRandom(seed, UInt64(number) &+ 0x5eed))
        return request(&draw)
    }
}

/// One thing that a demonstration shows: what a query answers, and what that proves.
public struct Exhibit: Sendable {
    /// How the answer is laid out.
    public enum Form: Sendable {
        /// These columns, side by side. They fit in 80 characters: what does not is cut at the end of a line.
        case table([ShownColumn])
        /// One sign for each row, in lines of rows that have the same values in some columns: a map of seats.
        case map(lines: [String], of: String, signs: [String: Character])
    }
    /// In a few words: `SEATS of the gala`.
    public let title: String
    /// One sentence: what the answer proves. It gives the units that no title of a column gives.
    public let proves: String
    /// The query with its domain: `tickets.seats`.
    public let query: String
    /// The query's parameters as on the command line, by name. Several answers are shown under one heading.
    public let parameters: [[String: String]]
    /// The most rows that each answer shows.
    public let limit: Int
    /// How the answers are laid out.
    public let form: Form
    /// Whether it is shown at the end once more, as it was three seconds before.
    public let isShownPast: Bool

    /// What to show of a query's answers, one for each entry of `parameters`.
    public init(
        _ title: String, proves: String, query: String, _ parameters: [[String: String]] = [[:]], limit: Int = 10,
        as form: Form, past: Bool = false
    ) {
        self.title = title
        self.proves = proves
        self.query = query
        self.parameters = parameters
        self.limit = limit
        self.form = form
        isShownPast = past
    }
}

/// A column of an answer, under its name or another title, which has the unit: `ShownColumn("distance", as: "metres")`.
public struct ShownColumn: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The column's name in the answer.
    public let name: String
    /// What stands above it.
    public let title: String

    /// A column under a title of its own.
    public init(_ name: String, as title: String) {
        self.name = name
        self.title = title
    }
    public init(stringLiteral name: String) { self.init(name, as: name.replacing("_", with: " ")) }
}

/// Records of a topic that are read again.
public struct ShownRecords: Sendable, Hashable {
    /// The topic that is read: `likes.events`.
    public let topic: String
    /// The event's name.
    public let type: String

    /// The events of one name of a topic.
    public init(of topic: String, type: String) {
        self.topic = topic
        self.type = type
    }
}
