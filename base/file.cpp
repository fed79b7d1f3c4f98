#include "base/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/status.h"

namespace lathe {
namespace {

constexpr uint64_t kLargePage = 2 << 20;

absl::Status errnoStatus(absl::string_view path, absl::string_view what) {
  int code = errno;
  std::string message = absl::StrCat(path, ": ", what, ": ", std::strerror(code));
  if (code == ENOENT)
    return absl::NotFoundError(message);
  if (code == ENOSPC || code == EDQUOT || code == EFBIG)
    return absl::ResourceExhaustedError(message);
  return absl::FailedPreconditionError(message);
}

} // namespace

absl::StatusOr<MappedFile> MappedFile::open(const std::string &path) {
  // O_NONBLOCK: a pipe of that name must not make us wait for its writer. Files do not mind.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return errnoStatus(path, "cannot open");
  struct stat info;
  MappedFile file;
  file.path_ = path;
  absl::Status status;
  if (fstat(descriptor, &info) != 0)
    status = errnoStatus(path, "cannot stat");
  else if (!S_ISREG(info.st_mode))
    status = absl::FailedPreconditionError(absl::StrCat(path, ": not a regular file"));
  else if (info.st_size > 0) {
    void *data = mmap(nullptr, info.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED)
      status = errnoStatus(path, "cannot map");
    else {
      file.data_ = static_cast<const uint8_t *>(data);
      file.size_ = info.st_size;
    }
  }
  close(descriptor);
  if (!status.ok())
    return status;
  return file;
}

MappedFile::MappedFile(MappedFile &&other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
      path_(std::move(other.path_)) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_)
    munmap(const_cast<uint8_t *>(data_), size_);
}

void MappedFile::preferLargePages() const {
  if (data_)
    madvise(const_cast<uint8_t *>(data_), size_, MADV_HUGEPAGE);
}

void MappedFile::release(uint64_t offset, uint64_t size) const {
  const uint64_t page = 4096;
  uint64_t begin = (offset + page - 1) / page * page, end = (offset + size) / page * page;
  if (begin < end && end <= size_)
    madvise(const_cast<uint8_t *>(data_) + begin, end - begin, MADV_DONTNEED);
}

absl::StatusOr<std::string> readTextFile(const std::string &path, uint64_t limit) {
  LATHE_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  if (file.bytes().size() > limit)
    return absl::InvalidArgumentError(absl::StrCat(path, ": is ", file.bytes().size(),
                                                   " bytes, more than the ", limit,
                                                   " that such a file may have"));
  return std::string(file.text());
}

bool fileExists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

absl::StatusOr<FileWriter> FileWriter::create(const std::string &path) {
  FileWriter writer;
  writer.path_ = path;
  writer.partial_ = absl::StrCat(path, ".partial");
  writer.descriptor_ =
      ::open(writer.partial_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (writer.descriptor_ < 0)
    return errnoStatus(writer.partial_, "cannot create");
  return writer;
}

FileWriter::FileWriter(FileWriter &&other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), position_(other.position_),
      waiting_(std::move(other.waiting_)), path_(std::move(other.path_)),
      partial_(std::move(other.partial_)) {}

FileWriter::~FileWriter() {
  if (descriptor_ < 0)
    return;
  close(descriptor_);
  unlink(partial_.c_str());
}

absl::Status FileWriter::writeAt(uint64_t offset, const void *data, size_t size) {
  LATHE_RETURN_IF_ERROR(flush());
  return pass(offset, static_cast<const char *>(data), size);
}

absl::Status FileWriter::pass(uint64_t offset, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t count = pwrite(descriptor_, bytes, size, offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return errnoStatus(path_, "cannot write");
    bytes += count, offset += count, size -= count;
  }
  return absl::OkStatus();
}

absl::Status FileWriter::flush() {
  LATHE_RETURN_IF_ERROR(pass(position_ - waiting_.size(), waiting_.data(), waiting_.size()));
  waiting_.clear();
  return absl::OkStatus();
}

absl::Status FileWriter::write(const void *data, size_t size) {
  const char *bytes = static_cast<const char *>(data);
  while (size > 0) {
    uint64_t count = std::min<uint64_t>(size, kLargePage - position_ % kLargePage);
    waiting_.insert(waiting_.end(), bytes, bytes + count);
    position_ += count, bytes += count, size -= count;
    if (position_ % kLargePage == 0)
      LATHE_RETURN_IF_ERROR(flush());
  }
  return absl::OkStatus();
}

absl::Status FileWriter::padTo(uint64_t alignment) {
  static const char zeros[4096] = {};
  while (position_ % alignment != 0) {
    uint64_t missing = alignment - position_ % alignment;
    LATHE_RETURN_IF_ERROR(write(zeros, missing < sizeof zeros ? missing : sizeof zeros));
  }
  return absl::OkStatus();
}

absl::StatusOr<MappedFile> FileWriter::written() {
  LATHE_RETURN_IF_ERROR(flush());
  return MappedFile::open(partial_);
}

absl::Status FileWriter::commit() {
  LATHE_RETURN_IF_ERROR(flush());
  if (fsync(descriptor_) != 0 && errno != EINVAL)
    return errnoStatus(path_, "cannot write");
  if (rename(partial_.c_str(), path_.c_str()) != 0)
    return errnoStatus(path_, "cannot rename the finished file to this name");
  close(std::exchange(descriptor_, -1));
  return absl::OkStatus();
}

} // namespace lathe
