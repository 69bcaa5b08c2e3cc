// Cuts a stream of frames in every way.

#include "frames.hpp"

#include "checking.hpp"

#include <vector>

using namespace checking;
using namespace std::string_literals;

namespace {

constexpr std::size_t max_frame = 100'000;

std::string framed(const std::string& data) {
    std::string header;
    for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(data.size() >> shift & 0xff);
    return header + data;
}

/// The frame; or in words that it was refused.
std::optional<std::string> taken(std::string& stream) try {
    return take_frame(stream, max_frame);
} catch (const std::length_error& error) {
    return std::string("a std::length_error: ") + error.what();
}

/// All frames that are whole; and in words if then one was refused.
std::vector<std::string> take_all(std::string& stream) {
    std::vector<std::string> frames;
    try {
        while (auto frame = take_frame(stream, max_frame)) {
            frames.push_back(*frame);
            if (frames.size() > 100) wrong("that there is an end", "frames for ever", "Is each taken off the stream?");
        }
    } catch (const std::length_error& error) {
        frames.push_back(std::string("a std::length_error: ") + error.what());
    }
    return frames;
}

void must_be_refused(std::string header, const std::string& says) try {
    const auto frame = take_frame(header, max_frame);
    wrong("a std::length_error: the header says " + says + " bytes, 100000 are allowed", shown(frame),
          "Look at the length before you look whether the frame is whole.");
} catch (const std::length_error&) {
}

}  // namespace

int main() {
    step("a whole frame", [] {
        std::string stream = framed("hello");
        must_be("the frame", taken(stream), "hello"s);
        must_be("the stream, after its only frame was taken", stream, ""s, "What was taken must be gone from it.");
        must_be("from an empty stream", taken(stream), std::nullopt);
    });
    step("two frames that came in one read", [] {
        std::string stream = framed("one") + framed("two");
        must_be("the first", taken(stream), "one"s, "What follows a frame belongs to the next one.");
        must_be("the second", taken(stream), "two"s, "Take off this frame, and no more.");
    });
    step("a stream that is cut anywhere", [] {
        const std::string whole = framed("one") + framed("") + framed("three");
        const std::vector<std::string> expected{"one", "", "three"};
        for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
            std::string stream = whole.substr(0, cut);
            std::vector<std::string> got = take_all(stream);
            stream += whole.substr(cut);
            for (const auto& frame : take_all(stream)) got.push_back(frame);
            must_be("all frames, though the first read ended after byte " + shown(cut), got, expected,
                    "Is the header whole? Is the frame? If not, the stream stays as it is.");
        }
    });
    step("every byte comes alone", [] {
        std::string stream;
        std::vector<std::string> got;
        for (const char byte : framed("slow") + framed("client")) {
            stream += byte;
            for (const auto& frame : take_all(stream)) got.push_back(frame);
        }
        must_be("all frames", got, std::vector<std::string>{"slow", "client"});
    });
    step("frames of every length", [] {
        for (const std::size_t size : {0, 1, 127, 128, 200, 255, 256, 300, 65535, 65536, 100'000}) {
            const std::string length = shown(size) + " bytes";
            const std::string hint = "A char from 128 on is negative: make it an unsigned char before you calculate.";
            std::string stream = framed(std::string(size, 'x')) + framed("next");
            must_be("a frame of " + length, taken(stream), std::string(size, 'x'), hint);
            must_be("after the frame of " + length, taken(stream), "next"s);
        }
    });
    step("a frame of any bytes", [] {
        const std::string data("\0\xff\n\r\0", 5);
        std::string stream = framed(data);
        must_be("the frame", taken(stream), data);
    });
    step("what is too long is refused as soon as the header is there", [] {
        must_be_refused("\xff\xff\xff\xff"s, "4294967295");
        must_be_refused("\0\1\x86\xa1"s, "100001");
        std::string allowed("\0\1\x86\xa0"s);
        must_be("of 100000 bytes, which are allowed, but not there yet", taken(allowed), std::nullopt);
    });
}
