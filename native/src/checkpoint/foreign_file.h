// What is found in the place of a checkpoint's file more often than damage.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ivl {

// Error(Checkpoint) or Error(Unsupported) if a file that begins like this is a Git LFS pointer, a web page, or weights of another
// format than safetensors. `file` is for the message.
void refuse_foreign(std::string_view begin, const std::string& file);

// Error(Unsupported) or Error(Checkpoint) with what there is instead in a folder that has no safetensors weights under their usual
// names.
[[noreturn]] void refuse_without_weights(const std::filesystem::path& folder);

}  // namespace ivl
