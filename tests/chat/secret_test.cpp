// What two nodes know and nobody else does: 05_chat/base/secret.hpp.

#include "05_chat/base/secret.hpp"
#include "chat/why.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

using namespace chat;
using testing::HasSubstr;

namespace {

/// A file that is there while this object lives.
class SecretFile {
public:
    explicit SecretFile(const std::string& bytes, mode_t mode = S_IRUSR) {
        std::ofstream(path_) << bytes;
        ::chmod(path_.c_str(), mode);
    }
    ~SecretFile() { std::filesystem::remove(path_); }
    SecretFile(const SecretFile&) = delete;
    SecretFile& operator=(const SecretFile&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_ = testing::TempDir() + "five-secret-" + std::to_string(::getpid());
};

TEST(Secret, IsWhatTheFileHoldsWithoutTheLineEnd) {
    const SecretFile file("a long secret\r\n");
    EXPECT_EQ(read_secret(file.path()).value(), "a long secret");
}

TEST(Secret, OfFullLengthIsRead) {
    const SecretFile file(std::string(max_secret, 's').append("\n"));
    EXPECT_EQ(read_secret(file.path()).value(), std::string(max_secret, 's'));
}

TEST(Secret, ThatIsEmptyTooLongOrReadableByOthersIsNone) {
    EXPECT_THAT(why(read_secret("/no/such/file")), HasSubstr("cannot read /no/such/file: No such file"));
    EXPECT_THAT(why(read_secret("/")), HasSubstr("it is no file"));
    {
        const SecretFile file("\n");
        EXPECT_EQ(why(read_secret(file.path())), file.path() + " holds no secret");
    }
    {
        const SecretFile file(std::string(max_secret + 1, 's'));
        EXPECT_EQ(why(read_secret(file.path())), file.path() + " is too long for a secret: 255 bytes are allowed");
    }
    for (const mode_t mode : {0440u, 0404u, 0420u}) {
        const SecretFile file("secret", mode);
        EXPECT_EQ(why(read_secret(file.path())),
                  file.path() + " must be accessible by its owner only: chmod 400 " + file.path());
    }
}

TEST(Secret, IsComparedWhole) {
    EXPECT_TRUE(same("", ""));
    EXPECT_TRUE(same("abc", "abc"));
    EXPECT_FALSE(same("abc", "abd"));
    EXPECT_FALSE(same("abc", "xbc"));
    EXPECT_FALSE(same("abc", "ab"));
    EXPECT_NE(random_number(), random_number());
}

}  // namespace
