#pragma once

#include <string>
#include <string_view>

/// Which program this is, of all programs on all computers: so that one which is started again after a crash is not
/// taken for a stranger who has its name.
namespace chat::etcd {

/// The computer since its start, its namespace of process ids, and our process id: "BOOT/NAMESPACE/PID". Empty where
/// the system does not tell (it is Linux's /proc that does).
std::string this_process();

/// Whether that process ran on this computer, since its last start, and is there no more. False: nobody knows.
bool has_ended(std::string_view process);

}  // namespace chat::etcd
