#include "checkpoint/message.h"

#include <gtest/gtest.h>

namespace ivl {
namespace {

TEST(Message, KeepsUtf8AndEscapesTheRest) {
  EXPECT_EQ("'a \xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80'", quote("a \xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80"));
  EXPECT_EQ("'\\x00\\x0a\\x7f\\xff'", quote(std::string_view("\0\n\x7f\xff", 4)));
  EXPECT_EQ("'\\xc3'", quote("\xc3"));                             // cut off
  EXPECT_EQ("'\\xc0\\x80'", quote("\xc0\x80"));                    // overlong
  EXPECT_EQ("'\\xe0\\x80\\x80'", quote("\xe0\x80\x80"));           // overlong
  EXPECT_EQ("'\\xed\\xa0\\x80'", quote("\xed\xa0\x80"));           // surrogate
  EXPECT_EQ("'\\xf4\\x90\\x80\\x80'", quote("\xf4\x90\x80\x80"));  // beyond U+10FFFF
}

TEST(Message, CutsLongTextAtACharacter) {
  EXPECT_EQ("ab...", printable("abcdef", 2));
  EXPECT_EQ("a\xc3\xa9...", printable("a\xc3\xa9xyz", 2));
  EXPECT_LT(quote(std::string(1'000'000, 'x')).size(), 200u);
}

TEST(Message, Shapes) {
  EXPECT_EQ("()", shape_text({}));
  EXPECT_EQ("(64, 3, 14, 14)", shape_text({64, 3, 14, 14}));
}

}  // namespace
}  // namespace ivl
