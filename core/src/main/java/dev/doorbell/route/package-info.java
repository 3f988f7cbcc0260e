/// The hop-by-hop path of one MSI write, with reasons.
@NullMarked
package dev.doorbell.route;

import org.jspecify.annotations.NullMarked;
