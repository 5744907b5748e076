internal import CivilCalendar
internal import EventModel
internal import JSONText

/// Reads an access log of JSON objects, one a line: members by the names of nginx's variables, and what Caddy and Traefik
/// write.
enum JSONLog {
    /// Where each thing may be, the first that is there being taken.
    private static let times = paths(
        "time_iso8601 time_local @timestamp timestamp time ts msec datetime StartUTC request.time")
    private static let clients = paths(
        """
        http_x_forwarded_for x_forwarded_for request.client_ip remote_addr request.remote_ip request.remote_addr client_ip \
        clientip remote_ip client ClientHost ip
        """)
    private static let methods = paths("request_method method request.method RequestMethod verb")
    private static let uris = paths("request_uri uri request.uri RequestPath path url")
    private static let queries = paths("args query_string query")
    private static let statuses = paths("status response DownstreamStatus status_code OriginStatus")
    private static let sizes = paths("body_bytes_sent bytes_sent size bytes DownstreamContentSize")
    private static let referrers = paths(
        "http_referer http_referrer referer referrer request.headers.Referer request_Referer")
    private static let agents = paths(
        "http_user_agent user_agent agent useragent request.headers.User-Agent request_User-Agent")
    private static let hosts = paths("vhost virtual_host http_host server_name request.host RequestHost host")

    private static func paths(_ names: String) -> [[String]] {
        names.split(separator: " ").map { $0.split(separator: ".").map(String.init) }
    }

    static func entry(_ line: ArraySlice<UInt8>) throws(AccessLog.Unreadable) -> LogEntry {
        guard let object = JSONValue(line), object.isObject else {
            throw AccessLog.Unreadable(why: "is not a JSON object")
        }
        func plain(_ paths: [[String]]) -> String? {
            for path in paths {
                if let text = object[path]?.plain, !LogEntry.isNobody(text) { return LogEntry.printable(text) }
            }
            return nil
        }
        var entry = LogEntry()
        entry.time = try time(object)
        if let request = object["request"]?.plain { entry.put(request: LogEntry.printable(request)) }
        if let method = plain(methods) { entry.hit.method = method }
        if let path = plain(uris) {
            entry.hit.path = path
            if !path.contains("?") { entry.query = plain(queries) ?? "" }
        }
        if entry.hit.path.isEmpty { throw AccessLog.Unreadable(why: "the request is missing: neither request nor uri") }
        if let client = plain(clients) { entry.put(client: client) }
        if let status = plain(statuses) { try entry.put(status: ArraySlice(status.utf8)) }
        if let size = plain(sizes) { try entry.put(size: ArraySlice(size.utf8)) }
        entry.put(referrer: plain(referrers) ?? "")
        entry.put(agent: plain(agents) ?? "")
        entry.virtualHost = plain(hosts)
        return entry
    }

    private static func time(_ object: JSONValue) throws(AccessLog.Unreadable) -> Timestamp {
        for path in times {
            switch object[path] {
            case .number(let number):
                if let time = DecimalText(number).flatMap(CivilTime.sinceEpoch) { return time.moment }
                throw AccessLog.Unreadable(why: "the time is \(number), not a time since 1970")
            case .text(let text):
                if let time = AccessLog.moment(ArraySlice(text.utf8)) { return time }
                throw AccessLog.Unreadable(
                    why: "the time is \(text.prefix(60)), not 2015-05-17T10:05:03Z or 17/May/2015:10:05:03 +0000")
            default: continue
            }
        }
        throw AccessLog.Unreadable(why: "the time is missing: neither time_iso8601, time, ts nor msec")
    }
}
