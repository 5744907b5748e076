internal import CRdkafka

/// What librdkafka or the broker said no with.
public struct KafkaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Kafka's error number; librdkafka's own are negative.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The number of Kafka's protocol, or a negative one of librdkafka (`rd_kafka_resp_err_t`).
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
    }
    /// Which error it is.
    public var code: Code
    /// The error's name in Kafka's protocol, such as `ILLEGAL_GENERATION`.
    public var name: String
    /// What was wrong, in librdkafka's or the broker's words.
    public var message: String
    /// The same call may succeed if it is made again.
    public var isRetriable: Bool
    /// The client that threw it is of no more use.
    public var isFatal: Bool
    /// The open transaction can only be aborted; afterwards the next may begin.
    public var needsAbort: Bool

    /// An error of that code; its name is librdkafka's.
    public init(
        _ code: Code, _ message: String, isRetriable: Bool = false, isFatal: Bool = false, needsAbort: Bool = false
    ) {
        self.code = code
        self.name = String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: code.rawValue)))
        self.message = message
        self.isRetriable = isRetriable
        self.isFatal = isFatal
        self.needsAbort = needsAbort
    }
    public var description: String { "\(message) (\(name))" }
}

extension KafkaError.Code {
    /// No answer in time (librdkafka).
    public static let timedOut = KafkaError.Code(RD_KAFKA_RESP_ERR__TIMED_OUT)
    /// A message was not acknowledged in time (librdkafka).
    public static let messageTimedOut = KafkaError.Code(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
    /// The connection to a broker broke, or could not be made (librdkafka).
    public static let transport = KafkaError.Code(RD_KAFKA_RESP_ERR__TRANSPORT)
    /// No broker has a connection (librdkafka).
    public static let allBrokersDown = KafkaError.Code(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    /// A broker's name has no address (librdkafka).
    public static let unresolved = KafkaError.Code(RD_KAFKA_RESP_ERR__RESOLVE)
    /// A property, or an argument of a call, is not as it must be (librdkafka).
    public static let invalidSetting = KafkaError.Code(RD_KAFKA_RESP_ERR__INVALID_ARG)
    /// The client is being ended (librdkafka).
    public static let closed = KafkaError.Code(RD_KAFKA_RESP_ERR__DESTROY)
    /// A message was thrown away before it was sent (librdkafka).
    public static let purgedFromQueue = KafkaError.Code(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    /// A message was thrown away after it was sent: it may be on the log (librdkafka).
    public static let purgedInFlight = KafkaError.Code(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
    /// The broker has no such topic or partition.
    public static let unknownTopic = KafkaError.Code(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    /// The client knows no such topic (librdkafka).
    public static let unknownTopicLocally = KafkaError.Code(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    /// The client knows no such partition (librdkafka).
    public static let unknownPartitionLocally = KafkaError.Code(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
    /// The topic is there already.
    public static let topicExists = KafkaError.Code(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    /// A message is larger than the broker takes (`message.max.bytes`).
    public static let tooLarge = KafkaError.Code(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    /// A message was damaged on its way, or on the broker's disk (librdkafka).
    public static let corrupt = KafkaError.Code(RD_KAFKA_RESP_ERR__BAD_MSG)
    /// The partition has no leader just now.
    public static let noLeader = KafkaError.Code(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
    /// The partition does not have that offset, or not any more.
    public static let outOfRange = KafkaError.Code(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
    /// A group has no offset, and is not to begin by itself (librdkafka, `auto.offset.reset`).
    public static let noOffset = KafkaError.Code(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    /// A transaction that is open holds the offsets back.
    public static let unstableOffset = KafkaError.Code(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
    /// There is no such group.
    public static let unknownGroup = KafkaError.Code(RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
    /// The group is sharing its partitions out anew.
    public static let rebalancing = KafkaError.Code(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
    /// The group has shared its partitions out anew without this member.
    public static let illegalGeneration = KafkaError.Code(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
    /// The group has put this member out.
    public static let unknownMember = KafkaError.Code(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
    /// Another member has the same `group.instance.id`.
    public static let fencedInstance = KafkaError.Code(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
    /// The user has no right to the topic.
    public static let topicDenied = KafkaError.Code(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    /// The user has no right to the group.
    public static let groupDenied = KafkaError.Code(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
    /// The user has no right to what concerns the whole cluster.
    public static let clusterDenied = KafkaError.Code(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
    /// The user has no right to the transactional id.
    public static let transactionDenied = KafkaError.Code(RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    /// The broker refused the user or the password (librdkafka).
    public static let authentication = KafkaError.Code(RD_KAFKA_RESP_ERR__AUTHENTICATION)
    /// The broker refused the user or the password.
    public static let saslFailed = KafkaError.Code(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
    /// The broker does not know the mechanism of SASL.
    public static let unsupportedMechanism = KafkaError.Code(RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM)
    /// The broker was asked for something before the user was known to it.
    public static let illegalState = KafkaError.Code(RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE)
    /// TLS failed: a certificate, or a version (librdkafka).
    public static let ssl = KafkaError.Code(RD_KAFKA_RESP_ERR__SSL)

    init(_ code: rd_kafka_resp_err_t) { self.init(rawValue: code.rawValue) }

    /// Whether brokers say so only while a leader or coordinator moves: asked again, they soon answer.
    public var passes: Bool {
        switch rd_kafka_resp_err_t(rawValue: rawValue) {
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__WAIT_COORD:
            true
        default: false
        }
    }
}

extension KafkaError {
    static let closed = KafkaError(.closed, "the client is closed")

    /// Nil where the call succeeded.
    init?(_ code: rd_kafka_resp_err_t, _ text: String? = nil) {
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
        self.init(
            Code(code), text ?? String(cString: rd_kafka_err2str(code)), isFatal: code == RD_KAFKA_RESP_ERR__FATAL)
    }

    /// Takes the error object that a call returned, which is the caller's; nil where the call succeeded.
    init?(taking error: OpaquePointer?) {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        self.init(
            Code(rd_kafka_error_code(error)), String(cString: rd_kafka_error_string(error)),
            isRetriable: rd_kafka_error_is_retriable(error) != 0, isFatal: rd_kafka_error_is_fatal(error) != 0,
            needsAbort: rd_kafka_error_txn_requires_abort(error) != 0)
    }

    static func check(_ code: rd_kafka_resp_err_t) throws(KafkaError) {
        if let error = KafkaError(code) { throw error }
    }
    static func check(_ error: OpaquePointer?) throws(KafkaError) {
        if let error = KafkaError(taking: error) { throw error }
    }
}
