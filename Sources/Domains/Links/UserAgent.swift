internal import Synchronization

/// What a client says of itself, as far as links care.
struct UserAgent {
    let device: LinksDevice
    /// Whether it only shows what a link leads to, to somebody who was sent it: nobody has followed the link yet.
    let isPreview: Bool

    private static let previews = [
        "facebookexternalhit", "facebookcatalog", "slackbot-linkexpanding", "slack-imgproxy", "twitterbot", "whatsapp",
        "telegrambot",
        "discordbot", "linkedinbot", "skypeuripreview", "pinterestbot", "redditbot", "viber", "embedly", "iframely",
        "snapchat", "vkshare", "mastodon", "bluesky cardyb", "google-pagerenderer", "microsoftpreview", "bitlybot",
    ]
    private static let bots = [
        "bot", "crawl", "spider", "slurp", "archiver", "curl/", "wget/", "python", "java/", "go-http-client", "okhttp",
        "libwww", "httpclient", "headless", "phantomjs", "lighthouse", "monitor", "uptime", "scanner", "preview",
        "feed",
        "axios/", "node-fetch", "ruby", "perl", "php/", "scrapy", "validator", "checker", "mediapartners",
    ]

    init(_ text: String?) {
        let text = (text ?? "").lowercased()
        isPreview = Self.previews.contains { text.contains($0) }
        if text.isEmpty || isPreview || Self.bots.contains(where: { text.contains($0) }) {
            device = .bot
        } else if text.contains("ipad") || text.contains("tablet") || text.contains("kindle")
            || text.contains("android") && !text.contains("mobile")
        {
            device = .tablet
        } else if text.contains("mobi") || text.contains("iphone") || text.contains("android") {
            device = .mobile
        } else {
            device = .desktop
        }
    }
}

/// What follows from texts that are the same again and again, such as what clients say of themselves: to work it out costs more than to
/// follow a link.
final class Remembered<Value: Sendable>: Sendable {
    private static var limit: Int { 10_000 }
    /// Longer ones are not kept.
    private static var longest: Int { 512 }
    private let known = Mutex<[String: Value]>([:])

    func value(_ text: String, _ make: (String) -> Value) -> Value {
        if text.utf8.count > Self.longest { return make(text) }
        if let value = known.withLock({ $0[text] }) { return value }
        let value = make(text)
        known.withLock { known in
            // Whoever makes up many has them looked through again.
            if known.count >= Self.limit { known = [:] }
            known[text] = value
        }
        return value
    }
}
