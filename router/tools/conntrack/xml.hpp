// A connection as an XML element, as conntrack(8) prints it with -o xml.
// libnetfilter_conntrack: __snprintf_conntrack_xml
#pragma once

#include <string>
#include <string_view>

#include "router/tools/conntrack/plain.hpp"

namespace nsr::router {

// Without line break.
void append_xml(std::string& out, const Entry& entry, const Attributes& attributes,
                const ConntrackOutput& output);

// "<name>content</name>"; the content is text that needs no escaping, or XML.
std::string element(std::string_view name, std::string_view content);
// How a flow begins; `event`: see Attributes.
std::string xml_flow(std::string_view event);
// <when>: a date of the machine's time zone.
std::string xml_time(Instant at);

}  // namespace nsr::router
