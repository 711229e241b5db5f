// What the system keeps in memory of a checkpoint's files.
#pragma once

#include <filesystem>

namespace ivl {

// Asks the system to forget its weights, so that they are read from the disk again. Returns the share of their pages, 0 to 1, that
// is in memory still: what another process has mapped stays, and of files that are not the caller's own the system does not tell.
// Error as Checkpoint::open().
double drop_page_cache(const std::filesystem::path& folder);

}  // namespace ivl
