#include "emulation/checks.h"

#include <string>

#include "emulation/memory.h"
#include "emulation/report.h"
#include "emulation/thread.h"

namespace simt {
namespace {

// Whether something orders the earlier access before one of the thread now.
bool ordered(const Access& earlier, const Thread& thread) {
  const Access& now = thread.clock;
  if (earlier.launch != now.launch || (earlier.block == now.block && earlier.thread == now.thread)) {
    return true;
  }
  if (earlier.block == now.block && (earlier.block_epoch != now.block_epoch ||
                                     (earlier.thread / 32 == now.thread / 32 && earlier.warp_epoch != now.warp_epoch))) {
    return true;
  }
  return thread.fences.order(earlier);
}

bool same_thread(const Access& a, const Access& b) { return a.launch == b.launch && a.block == b.block && a.thread == b.thread; }

std::string threads(const Access& a, const Access& b) {
  const auto one = [](const Access& x) { return "thread " + std::to_string(x.thread) + " of block " + std::to_string(x.block); };
  return one(a) + " and " + one(b);
}

const char* name_of(Space space) { return space == Space::Shared ? "shared" : "global"; }

// Whether the thread's own atomic was the last, but others' before it are not ordered with what it does now.
bool among_atomics(const Cell& cell, const Thread& thread) {
  const Access& now = thread.clock;
  return cell.atomic == 2 && same_thread(cell.writer, now) && cell.writer.block_epoch == now.block_epoch &&
         cell.writer.warp_epoch == now.warp_epoch && thread.fences.know_nothing();
}

void read_cell(Cell& cell, const Thread& thread, uint8_t bits, Space space, const void* pc) {
  const Access& now = thread.clock;
  if (cell.in_flight != 0) {
    report(Fault::Async, pc, "read before the asynchronous copy to it was waited for");
  }
  if ((cell.written & bits) != bits) {
    report(Fault::Uninitialized, pc, std::string("read of ") + name_of(space) + " memory that nobody wrote");
  }
  if (!ordered(cell.writer, thread) || among_atomics(cell, thread)) {
    report(Fault::Race, pc,
           std::string("read and write of the same ") + name_of(space) + " memory by " + threads(now, cell.writer));
  }
  if (same_thread(cell.readers[0], now) || cell.readers[0].launch != now.launch) {
    cell.readers[0] = now;
  } else {
    if (!same_thread(cell.readers[1], now)) {
      cell.readers[1] = cell.readers[0];
    }
    cell.readers[0] = now;
  }
}

void write_cell(Cell& cell, const Thread& thread, uint8_t bits, Kind kind, Space space, const void* pc) {
  const Access& now = thread.clock;
  const bool landing = kind == Kind::AsyncLanding;
  if (kind == Kind::Atomic && (cell.written & bits) != bits) {
    report(Fault::Uninitialized, pc, std::string("an atomic on ") + name_of(space) + " memory that nobody wrote");
  }
  if (cell.in_flight != 0 && !landing) {
    report(Fault::Async, pc, "written before the asynchronous copy to it was waited for");
  }
  const bool atomics = kind == Kind::Atomic && cell.atomic != 0;
  const bool alone = ordered(cell.writer, thread);
  if (!atomics && (!alone || among_atomics(cell, thread))) {
    report(Fault::Race, pc, std::string("two writes of the same ") + name_of(space) + " memory by " + threads(now, cell.writer));
  }
  for (const Access& reader : cell.readers) {
    if (!ordered(reader, thread)) {
      report(Fault::Race, pc, std::string("write and read of the same ") + name_of(space) + " memory by " + threads(now, reader));
      break;
    }
  }
  cell.atomic = kind != Kind::Atomic ? 0 : atomics && (!alone || cell.atomic == 2) ? 2 : 1;
  cell.in_flight = kind == Kind::AsyncTarget ? 1 : 0;
  if (kind == Kind::AsyncTarget) {
    return;  // the write happens when it lands
  }
  cell.writer = now;
  cell.written |= bits;
}

bool locate(const void* address, size_t size, const void* pc, const Thread& thread, Allocation*& found) {
  found = find_allocation(address);
  if (found == nullptr || !found->holds(address, size)) {
    report(Fault::Bounds, pc,
           std::to_string(size) + " bytes at " +
               (found == nullptr ? "an address where nothing is allocated"
                                 : std::to_string(found->offset(address)) + " of " + std::to_string(found->bytes)));
    return false;
  }
  if (found->space == Space::Global && found->device != this_device()) {
    report(Fault::Device, pc,
           "memory of device " + std::to_string(found->device) + " used on device " + std::to_string(this_device()) +
               " by thread " + std::to_string(thread.number));
  }
  return true;
}

}  // namespace

bool access(const void* address, size_t size, Kind kind, const void* pc, size_t bytes) {
  if (!in_kernel() || !is_device_address(address)) {
    return true;
  }
  Thread& thread = this_fiber();
  const size_t counted = bytes == 0 ? size : bytes;
  if (options().counters && kind != Kind::AsyncLanding && kind != Kind::MatrixRead) {
    count_access(thread, address, counted, kind, pc);
  }
  if (reinterpret_cast<uintptr_t>(address) % size != 0) {
    report(Fault::Alignment, pc, std::to_string(size) + " bytes at an address that is no multiple of it");
  }
  Allocation* allocation = nullptr;
  if (!locate(address, counted, pc, thread, allocation)) {
    return false;
  }
  if (!options().checks) {
    // Later launches may be checked.
    if (!is_read(kind)) {
      mark_written(const_cast<void*>(address), counted);
    }
    return true;
  }
  if (kind == Kind::Atomic) {
    thread.fences.atomic(address);
  }
  const bool behind = allocation->space == Space::Shared || comes_behind_users(*allocation);
  const size_t first = allocation->offset(address);
  allocation->cells.visit(first, first + counted, !behind, [&](Cell& cell, size_t byte, uint8_t bits) {
    if (!behind) {
      is_read(kind) ? order_read(*allocation, byte) : order_write(*allocation, byte);
    }
    if (is_read(kind)) {
      read_cell(cell, thread, bits, allocation->space, pc);
    } else {
      write_cell(cell, thread, bits, kind, allocation->space, pc);
    }
  });
  return true;
}

void end_of_thread(Thread& thread) {
  if (!thread.copies.empty()) {
    report(Fault::Async, nullptr, "the kernel ended before its asynchronous copies were waited for");
    thread.copies.clear();
  }
  if (!thread.products.empty()) {
    report(Fault::Async, thread.products.first_pending(), "the kernel ended before its warpgroup products were waited for");
    thread.products.clear();
  }
}

}  // namespace simt
