internal import EventModel

/// What one client may take of the gateway. Each limit has its name here and nowhere else.
package enum GatewayLimits {
    // MARK: Sizes

    /// Bytes of a request body that is one message: any command fits, also where each of its characters is an escape.
    package static let bodyBytes = Limits.lineBytes
    /// Bytes of a command that is sent on where it is read; larger ones go the long way.
    package static let plainBody = 32_768
    /// Bytes of the path and query of a request.
    package static let targetBytes = 16_384
    /// Bytes of all header fields of a request.
    package static let headerBytes = 32_768
    package static let headerFields = 100
    /// Parameters of a request's query.
    package static let parameters = 200
    /// Bytes that are written to a reader at once.
    package static let chunkBytes = 65_536
    /// Bytes of a body that nobody wanted and that is read to keep the connection; of more, the connection is closed.
    package static let drainedBytes = 65_536

    // MARK: Times

    /// A connection on which nothing comes for so long, and nothing is answered, is closed.
    package static let idle = Duration.seconds(60)
    /// A body that is one message has come by then.
    package static let bodyTime = Duration.seconds(30)
    /// A connection over which TLS has not come about by then is closed.
    package static let handshake = Duration.seconds(10)
    /// A reader that takes nothing for so long is left.
    package static let slowReader = Duration.seconds(30)
    /// How long events that routes have produced are gathered before they go to the log together.
    package static let gathering = Duration.milliseconds(20)
    /// How long a connection is answered at once before one of its requests goes the long way, on which it is seen that it is in use.
    package static let quick = Duration.seconds(15)
    /// A query that takes longer goes the long way for a while, so that no other connection waits for it.
    package static let quickRead = Duration.milliseconds(2)
    /// For so long.
    package static let longQuery = Duration.seconds(1)
    /// How long a connection that is to be closed may go on sending before it is.
    package static let linger = Duration.seconds(2)
    /// How often it is looked which sessions were closed.
    package static let sessionPause = Duration.seconds(1)
    /// How long the view of sessions is waited for by whoever closes one.
    package static let sessionWait = Duration.seconds(2)
    /// How often a stream of events says that it is still there.
    package static let heartbeat = Duration.seconds(15)
    /// How often a page is told of the latest events.
    package static let latestPause = Duration.milliseconds(250)
    /// How far back a page that lost its connection is told of the latest events.
    package static let latestReach = Duration.seconds(60)
    /// How long a command or a view is waited for, where nothing is said.
    package static let wait = Duration.seconds(10)
    /// The most that may be said.
    package static let longestWait = Duration.seconds(60)
    /// How long the log and the views may take to say that they are there.
    package static let probe = Duration.seconds(2)
    /// After so long a client that was told to come again may.
    package static let retryAfter = Duration.seconds(1)

    // MARK: Counts

    /// Connections that wait to be taken: of a burst beyond it the rest try again after a second (`listen(2)`).
    package static let backlog = 4096
    /// Files that connections leave for the log and the views, where there are twice as many.
    package static let otherFiles = 2000

    /// Connections at once; fewer where the process may not open so many files.
    package static let connections = 20_000
    /// Requests at once on one connection of HTTP/2, which the library sets.
    package static let streamsOfConnection = 100
    /// Streams that follow a topic at once.
    package static let streams = 4000
    /// Of these, those of one token's subject, or without tokens of one address.
    package static let streamsOfOne = 2000
    /// Views of the past that are folded at once.
    package static let pasts = 2
    /// Commands of a body of lines that are under way at once.
    package static let commandBatch = 500
    /// Events of a body of lines that are appended, or sent to a handler, at once.
    package static let eventBatch = 5000
    /// Events that routes have produced and that wait for the log at once; of more, they are dropped and counted.
    package static let routeEvents = 200_000
    /// Records that a replay reads at once.
    package static let readBatch = 500
    /// Records of a topic that a page shows.
    package static let pageRecords = 200
    /// Records that are looked at for them, where only those of a key or a type are wanted.
    package static let pageLooks = 100_000
    /// Events of all domains that a page is told at once; of more it is told how many.
    package static let latestEvents = 10
    /// Bad lines of a kind that an answer tells.
    package static let toldLines = 5

    /// Answers of views that routes are given without asking again, while their views stand as they do.
    package static let knownAnswers = 100_000
    /// Bytes of texts in one of them; longer ones are asked for each time.
    package static let knownBytes = 2048

    /// Sessions that are known to be closed before their time.
    package static let closedSessions = 100_000

    // MARK: Rates

    /// Requests a second that an address may make, for long.
    package static let rate = 20_000.0
    /// Requests a second that a token's subject may make, from wherever.
    package static let tokenRate = 20_000.0
    /// How many more it may make at once: so many seconds of the rate.
    package static let burst = 2.0
    /// Addresses whose rate is remembered at once, and subjects.
    package static let addresses = 10_000
    /// Registrations from an address at once: a household, a class or a test behind one address. Each hashes a password.
    package static let signUps = 60.0
    /// How often one more may come after that.
    package static let signUpEvery = Duration.seconds(10)
    /// Tokens that are remembered to have been checked.
    package static let knownTokens = 10_000
}
