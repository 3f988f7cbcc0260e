/// Translation tables of the Armv8-A virtual memory system architecture (VMSAv8-64), as the Arm IOMMUs use them: layouts,
/// geometry, a builder, a walker that explains, and what models of IOMMUs share: the shape of a regime and a cache of translations.
///
/// **Source** DDI 0487 (Arm Architecture Reference Manual for A-profile), chapter D8; IHI 0070 3.4 and 5.4.
@NullMarked
package dev.doorbell.vmsa;

import org.jspecify.annotations.NullMarked;
