internal import CRdkafka

/// librdkafka's configuration: any of its properties, by name.
///
/// It belongs to one client, which takes it only when it could be made; otherwise it discards itself.
///
///     var settings = Settings()
///     try settings.set("bootstrap.servers", "127.0.0.1:9092")
///     let producer = try Producer(settings)
///
/// librdkafka's log goes to standard error where `debug` is set, else nowhere: what matters comes as errors.
public struct Settings: ~Copyable {
    // librdkafka's configuration; this value is its only owner.
    private let conf: OpaquePointer

    /// librdkafka's defaults.
    public init() {
        conf = rd_kafka_conf_new()
        crdkafka_silence(conf)
    }

    /// librdkafka's defaults with these over them; `debug` has its log shown on standard error.
    public init(_ properties: [String: String]) throws(KafkaError) {
        self.init()
        if properties["debug"] != nil { rd_kafka_conf_set_log_cb(conf, rd_kafka_log_print) }
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) { try set(name, value) }
    }

    deinit { rd_kafka_conf_destroy(conf) }

    /// Throws an error that names the property where there is none of that name, or where the value does not fit it.
    public mutating func set(_ name: String, _ value: String) throws(KafkaError) {
        var text = [CChar](repeating: 0, count: 512)
        if rd_kafka_conf_set(conf, name, value, &text, text.count) == RD_KAFKA_CONF_OK { return }
        // librdkafka repeats the value, which for a secret must not be shown.
        let isSecret = ["password", "secret", "key.pem", "jaas"].contains { name.contains($0) }
        let why = isSecret ? "its value is not shown" : string(text)
        throw KafkaError(.invalidSetting, "the Kafka property \(name) is wrong: \(why)")
    }

    /// What is set now, or by default.
    public func value(of name: String) -> String? {
        var size = 0
        guard rd_kafka_conf_get(conf, name, nil, &size) == RD_KAFKA_CONF_OK, size > 0 else { return nil }
        var text = [CChar](repeating: 0, count: size)
        guard rd_kafka_conf_get(conf, name, &text, &size) == RD_KAFKA_CONF_OK else { return nil }
        return string(text)
    }

    /// Makes the client, which takes the configuration if that succeeds.
    ///
    /// - Parameter news: Is told what comes as no event; it must live as long as the client.
    consuming func makeClient(
        _ type: rd_kafka_type_t, events: Int32, news: ClientStatus? = nil
    ) throws(KafkaError) -> OpaquePointer {
        rd_kafka_conf_set_events(conf, events)
        news?.listen(to: conf)
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(type, conf, &text, text.count) else {
            _ = consume self
            throw KafkaError(KafkaError.Code(rd_kafka_last_error()), string(text))
        }
        discard self
        return client
    }
}

/// The text in a buffer that C filled.
func string(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
