#ifndef CMARTLET_H
#define CMARTLET_H

#include "../../Runtime/martlet.h"

#endif
