/* Relay messages and announcers as the vectors write them in JSON. What is made from JSON lives until the case ends. */
#ifndef HD_RELAY_JSON_H
#define HD_RELAY_JSON_H

#include <hdht/relay_message.h>

#include "json.h"

/* The value an encoder is given. A field the JSON does not have stays zero. */
hdht_relay_message hd_relay_message_of_json(uint32_t type, const hd_json *fields);
hdht_announcers hd_announcers_of_json(const hd_json *fields);

/* Checks that a decoded value has exactly the fields of the JSON; a null there means "not carried". */
void hd_relay_message_check(const hdht_relay_message *message, const hd_json *expected);
void hd_announcers_check(const hdht_announcers *announcers, const hd_json *expected);

#endif
