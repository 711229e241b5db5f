// The library runs on glibc 2.31 (Debian 11, Ubuntu 20.04), wherever it was built. What the C++ runtime and the unwinder that are linked
// into it take from a newer glibc is defined here instead, hidden, by what the older one has too. For the shared libraries only;
// the test library_runs_on_older_glibc says when something is missing here.
#if defined(__linux__) && defined(__x86_64__)

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>

#define HIDDEN __attribute__((visibility("hidden")))

// NAME calls the version of it that the first glibc for x86-64 had.
#define CALL_OLD(result, name, parameters, arguments)         \
  result ivl_old_##name parameters;                           \
  __asm__(".symver ivl_old_" #name "," #name "@GLIBC_2.2.5"); \
  HIDDEN result name parameters { return ivl_old_##name arguments; }

// NOLINTBEGIN(bugprone-reserved-identifier): the names are glibc's.
extern "C" {

// 2.34 moved these into libc. On an older system they lie in libpthread and libdl, which every JVM has loaded.
// clang-format off: it takes parameters that are a macro's for products.
CALL_OLD(int, pthread_create, (pthread_t * thread, const pthread_attr_t* how, void* (*run)(void*), void* with),
         (thread, how, run, with))
CALL_OLD(int, pthread_join, (pthread_t thread, void** result), (thread, result))
CALL_OLD(int, pthread_detach, (pthread_t thread), (thread))
CALL_OLD(int, pthread_once, (pthread_once_t * once, void (*run)(void)), (once, run))
CALL_OLD(int, pthread_key_create, (pthread_key_t * key, void (*free)(void*)), (key, free))
CALL_OLD(int, __pthread_key_create, (pthread_key_t * key, void (*free)(void*)), (key, free))
CALL_OLD(int, pthread_key_delete, (pthread_key_t key), (key))
CALL_OLD(void*, pthread_getspecific, (pthread_key_t key), (key))
// Written out: of a const void* that comes in GCC thinks that it is read.
int ivl_old_pthread_setspecific(pthread_key_t key, uintptr_t value);
__asm__(".symver ivl_old_pthread_setspecific,pthread_setspecific@GLIBC_2.2.5");
HIDDEN int pthread_setspecific(pthread_key_t key, const void* value) {
  return ivl_old_pthread_setspecific(key, reinterpret_cast<uintptr_t>(value));
}
CALL_OLD(void*, dlopen, (const char* file, int mode), (file, mode))
CALL_OLD(void*, dlsym, (void* library, const char* name), (library, name))
CALL_OLD(int, dlclose, (void* library), (library))
CALL_OLD(char*, dlerror, (), ())
// clang-format on

// 2.33 made functions of these. Before they were macros for the ones with the structure's version.
int __xstat(int version, const char* path, struct stat* result);
int __lxstat(int version, const char* path, struct stat* result);
int __fxstat(int version, int file, struct stat* result);
constexpr int kStatVersion = 1;
HIDDEN int stat(const char* path, struct stat* result) { return __xstat(kStatVersion, path, result); }
HIDDEN int lstat(const char* path, struct stat* result) { return __lxstat(kStatVersion, path, result); }
HIDDEN int fstat(int file, struct stat* result) { return __fxstat(kStatVersion, file, result); }
static_assert(sizeof(struct stat) == sizeof(struct stat64));
HIDDEN int fstat64(int file, struct stat64* result) { return __fxstat(kStatVersion, file, reinterpret_cast<struct stat*>(result)); }

// 2.32: whether reference counts can do without atomic operations. Never true in a JVM.
HIDDEN char __libc_single_threaded = 0;

// 2.36: std::random_device's.
HIDDEN uint32_t arc4random() {
  uint32_t value;
  while (getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {}
  return value;
}

// 2.35: where the unwinder finds an address' tables, as it found them before.
HIDDEN int _dl_find_object(void* address, struct dl_find_object* result) {
  struct Search {
    ElfW(Addr) address;
    struct dl_find_object* result;
  } search{reinterpret_cast<ElfW(Addr)>(address), result};
  const auto visit = [](struct dl_phdr_info* object, size_t, void* data) {
    auto& wanted = *static_cast<Search*>(data);
    const ElfW(Phdr)* tables = nullptr;
    const ElfW(Phdr)* inside = nullptr;
    for (ElfW(Half) i = 0; i < object->dlpi_phnum; ++i) {
      const ElfW(Phdr)& part = object->dlpi_phdr[i];
      if (part.p_type == PT_GNU_EH_FRAME) tables = &part;
      if (part.p_type == PT_LOAD && wanted.address - (object->dlpi_addr + part.p_vaddr) < part.p_memsz) inside = &part;
    }
    if (inside == nullptr) return 0;
    if (tables == nullptr) return -1;
    *wanted.result = {};
    wanted.result->dlfo_map_start = reinterpret_cast<void*>(object->dlpi_addr + inside->p_vaddr);
    wanted.result->dlfo_map_end = reinterpret_cast<void*>(object->dlpi_addr + inside->p_vaddr + inside->p_memsz);
    wanted.result->dlfo_eh_frame = reinterpret_cast<void*>(object->dlpi_addr + tables->p_vaddr);
    return 1;
  };
  return dl_iterate_phdr(visit, &search) == 1 ? 0 : -1;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)

#endif
