/// Rules of the house that a tool can check; docs/architecture.md gives the reasons.
@NullMarked
package dev.doorbell.arch;

import org.jspecify.annotations.NullMarked;
