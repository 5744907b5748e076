/// Somebody who uses a domain while it is demonstrated: a fan, a courier, a taxi.
///
/// It is a value that is asked again and again what to do next, and told what came of what it did. It has no clock and
/// does nothing by itself, so that a test can play days of it in no time, and the same seed makes the same choices.
public protocol LoadActor: Sendable {
    /// What it does next; nil where it is done.
    mutating func next(_ moment: LoadMoment) -> LoadStep?
}

/// What an actor knows when it chooses.
public struct LoadMoment: Sendable {
    /// The clock of the demonstration.
    public var now: Timestamp
    /// How much of the demonstration is over, from 0 to 1.
    public var elapsed: Double
    /// What came of the requests of the step before, in their order.
    public var replies: [LoadReply]

    /// A moment of a demonstration.
    public init(now: Timestamp, elapsed: Double, replies: [LoadReply]) {
        self.now = now
        self.elapsed = elapsed
        self.replies = replies
    }

    /// What came of the last request; nil before the first.
    public var last: LoadReply? { replies.last }
}

/// What came of a request.
public enum LoadReply: Sendable, Hashable {
    case accepted
    case refused(reason: String)
    /// A fact is on the log: nobody answers it.
    case appended
}

/// What an actor does: requests that are sent at once, and a pause once they are answered.
public struct LoadStep: Sendable, Hashable {
    /// What is asked, all at once.
    public var requests: [LoadRequest]
    /// How long the actor waits once the last of them is answered.
    public var pause: Duration

    /// Several requests at once, and a pause.
    public init(_ requests: [LoadRequest], pause: Duration = .zero) {
        self.requests = requests
        self.pause = pause
    }

    /// One request, and a pause.
    public init(_ request: LoadRequest, pause: Duration = .zero) { self.init([request], pause: pause) }
}

/// Asks at random and pauses in between: who uses a domain that declares no actors of its own.
public struct RandomActor: LoadActor {
    private let request: Demonstration.Request
    private let keys: KeySpace
    private let step: Int
    private var number: Int
    private var random: SeededRandom

    /// - Parameters:
    ///   - index: Which of the actors it is, from 0 to `count` less one.
    ///   - count: How many actors there are.
    ///   - keys: Among which names they choose.
    ///   - seed: The same for all of them.
    ///   - request: What they ask.
    public init(_ index: Int, of count: Int, _ keys: KeySpace, seed: UInt64, _ request: @escaping Demonstration.Request)
    {
        (self.request, self.keys, step, number) = (request, keys, count, index)
        random = SeededRandom(seed, UInt64(index))
    }

    /// A request of the next number, and a pause of 20 to 120 ms. It never ends.
    public mutating func next(_ moment: LoadMoment) -> LoadStep? {
        var draw = LoadDraw(number, in: keys, at: moment.now, random)
        var one = request(&draw)
        // Ids that requests repeat are those of a simulation.
        one.id = nil
        (number, random) = (number + step, draw.random)
        return LoadStep(one, pause: random.pause(20...120))
    }
}
