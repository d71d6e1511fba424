// SPDX-License-Identifier: GPL-3.0-or-later
// The versions of TLS that can be required.
#pragma once

namespace sftdyn::http {

/// RFC 5246 and RFC 8446. Older ones are not accepted (RFC 8996).
enum class TlsVersion { tls1_2, tls1_3 };

}  // namespace sftdyn::http
