import EventModel
import Testing

@testable import LinksDomain

/// What was reported of other shorteners of links: YOURLS, Shlink, Kutt, Polr, Dub.
@Suite("Links whose kind others have led astray")
struct ReportedTests {
    @Test(arguments: [
        // YOURLS 2660, 2618: what is escaped in a query was read and written anew.
        "https://www.example.com/cread.php?awinmid=10139&ued=https%3A%2F%2Fwww.example.it%2F%3Fq%3Dsony%2520dual%25204%26dFR%5Bc%5D%5B0%5D%3Dx%23x%26awc%3D1",
        // Shlink 615: a parameter without a value was left out.
        "https://google.example/?abc#123", "https://example.com/?a&b=&c",
        // Shlink 1075: a plus became a space.
        "https://example.com/wiki/?2+2_(TV_channel)", "https://example.com/wiki/2+2_(TV_channel)?abc+123",
        // YOURLS 1932: capitals of a query became small, and the second scheme was cut.
        "http://links.example/?pub_id=28CL11&url=https://paytm.example/dth",
        // Shlink 1129: parameters after the first were left out.
        "https://a.example/?apn=org.music.app&ibi=x&amv=0&ofl=https://b.example&link=https://c.example/--m2",
        // Semicolons, dots and empty pieces that servers tell apart.
        "https://example.com/a;v=1//b?x=1;y=2", "https://example.com/%7Euser/%2F?q=%E2%82%AC#%41",
    ])
    func `lead where they led`(_ url: String) throws {
        #expect(try WebURL(url).text == url)
    }

    @Test(arguments: [
        // YOURLS 591: capitals of a host made another link.
        ("http://www.SomeURL.com/abcdefg/", "http://www.someurl.com/abcdefg/"),
        // Kutt 303: a space in a query was refused.
        (
            "https://tx.example.com/crew.aspx?g=&region=Dallas%20%2F%20Worth area&s=1,2",
            "https://tx.example.com/crew.aspx?g=&region=Dallas%20%2F%20Worth%20area&s=1,2"
        ),
        ("  https://example.com/a\n", "https://example.com/a"),
    ])
    func `are read as browsers read them`(_ given: String, _ read: String) throws {
        #expect(try WebURL(given).text == read)
    }

    // Shlink 2567, and forms that put https:// before what somebody has pasted.
    @Test(arguments: ["https://https://example.com", "http://https//example.com", "https://http:/example.com/a"])
    func `have their scheme once`(_ url: String) {
        #expect { try WebURL(url) } throws: { "\($0)".contains("scheme twice") }
    }
}
